//! What libcnb insists on and a platform may leave out.
//!
//! The Buildpack API makes the distribution of the run image optional (it comes from labels of the
//! base image); libcnb ends with an error without it. We do not look at it.

#![allow(unsafe_code)] // Changing our own environment has no safe form since edition 2024.

use std::env;

const VARIABLES: [(&str, &str); 4] = [
    ("CNB_TARGET_OS", "linux"),
    ("CNB_TARGET_ARCH", ARCH),
    ("CNB_TARGET_DISTRO_NAME", "unknown"),
    ("CNB_TARGET_DISTRO_VERSION", "unknown"),
];

/// Go's name, which the API uses.
const ARCH: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };

/// Sets the variables of the target that the platform left out.
///
/// # Safety
///
/// Only while the process has one thread: nobody else may read the environment meanwhile.
pub unsafe fn complete_target() {
    for (name, value) in missing(|name| env::var_os(name).is_some()) {
        // SAFETY: there is no other thread, by this function's contract.
        unsafe { env::set_var(name, value) };
    }
}

fn missing(is_set: impl Fn(&str) -> bool) -> Vec<(&'static str, &'static str)> {
    VARIABLES.into_iter().filter(|(name, _)| !is_set(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_set() {
        let set = ["CNB_TARGET_OS", "CNB_TARGET_ARCH", "CNB_TARGET_DISTRO_NAME"];
        assert_eq!(missing(|name| set.contains(&name)), [("CNB_TARGET_DISTRO_VERSION", "unknown")]);
        assert_eq!(missing(|_| false), VARIABLES);
    }
}
