//! Which file systems have writers that this kernel does not see: another machine, or the other
//! side of a virtual machine's border. There, changes raise no events and leases prove nothing
//! (NFS and CIFS answer `EAGAIN` where the server gave no delegation). What comes in: a path or an
//! open file.

use std::fs::File;
use std::path::Path;

use nix::sys::statfs::{Statfs, fstatfs, statfs};

/// `f_type` of these file systems, as statfs(2) and the kernel's `linux/magic.h` list them; virtiofs,
/// gRPC-FUSE and sshfs report themselves as FUSE.
const SHARED: [(i64, &str); 16] = [
    (0x0102_1997, "9p"),
    (0x6573_5546, "FUSE or virtiofs"),
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x786F_4256, "vboxsf"),
    (0xBACB_ACBC, "vmhgfs"),
    (0x7C7C_6673, "prl_fs"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "kAFS"),
    (0x7375_7245, "Coda"),
    (0x7461_636F, "OCFS2"),
    (0x0116_1970, "GFS2"),
    (0x0BD0_0BD0, "Lustre"),
];

/// The name of the shared file system that holds `path`; `None` = a local one (ext4, XFS, btrfs,
/// tmpfs, overlay and everything unknown). A path that cannot be asked counts as local, since
/// whatever is wrong with it shows when it is read.
#[must_use]
pub fn shared_mount(path: &Path) -> Option<&'static str> {
    statfs(path).ok().as_ref().and_then(shared)
}

/// [`shared_mount`] of an open file.
#[must_use]
pub fn shared_file_system(file: &File) -> Option<&'static str> {
    fstatfs(file).ok().as_ref().and_then(shared)
}

fn shared(mount: &Statfs) -> Option<&'static str> {
    shared_type(mount.filesystem_type().0)
}

fn shared_type(f_type: i64) -> Option<&'static str> {
    // Some magic numbers have bit 31 set; the field's sign differs between architectures.
    SHARED.iter().find(|(magic, _)| *magic == (f_type & 0xFFFF_FFFF)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_and_virtual_machine_mounts_are_shared() {
        let seen = [0x6573_5546, 0x0102_1997, 0xFF53_4D42, -0x00AC_B2BE].map(shared_type);
        assert_eq!(seen, [Some("FUSE or virtiofs"), Some("9p"), Some("CIFS"), Some("CIFS")]);
    }

    #[test]
    fn local_file_systems_and_overlay_are_not() {
        let (ext4, overlay, tmpfs) = (0xEF53, 0x794C_7630, 0x0102_1994);
        assert_eq!([ext4, overlay, tmpfs].map(shared_type), [None; 3]);
        assert_eq!(shared_mount(Path::new("/proc")), None);
    }
}
