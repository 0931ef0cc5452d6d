//! Which mounts tell of changes. The kernel raises events for what passes through it; what is
//! changed on the other side of a network or a virtual machine's border stays unsaid.

use std::path::Path;

use nix::sys::statfs::statfs;

/// `f_type` of file systems whose files change without an event, as `statfs(2)` and
/// `linux/magic.h` list them; FUSE stands for virtiofs, gRPC-FUSE and sshfs as well.
const UNTRUSTED: [(i64, &str); 12] = [
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
    (0x0BD0_0BD0, "Lustre"),
];

/// The name of a file system whose events cannot be trusted, by its `f_type`; `None` = trusted
/// (ext4, XFS, btrfs, tmpfs, overlay and everything unknown).
#[must_use]
pub fn untrusted_type(f_type: i64) -> Option<&'static str> {
    // Some magic numbers have bit 31 set; the field's sign differs between architectures.
    UNTRUSTED.iter().find(|(magic, _)| *magic == (f_type & 0xFFFF_FFFF)).map(|(_, name)| *name)
}

/// [`untrusted_type`] of the mount that holds `path`; a path that cannot be asked is trusted,
/// since whatever is wrong with it shows when it is read.
#[must_use]
pub fn untrusted(path: &Path) -> Option<&'static str> {
    let info = statfs(path).ok()?;
    untrusted_type(info.filesystem_type().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_and_virtual_machine_mounts_are_not_trusted() {
        let seen = [0x6573_5546, 0x0102_1997, 0xFF53_4D42, -0x00AC_B2BE].map(untrusted_type);
        assert_eq!(seen, [Some("FUSE or virtiofs"), Some("9p"), Some("CIFS"), Some("CIFS")]);
    }

    #[test]
    fn local_file_systems_and_overlay_are_trusted() {
        let (ext4, overlay, tmpfs) = (0xEF53, 0x794C_7630, 0x0102_1994);
        assert_eq!([ext4, overlay, tmpfs].map(untrusted_type), [None; 3]);
        assert_eq!(untrusted(Path::new("/proc")), None);
    }
}
