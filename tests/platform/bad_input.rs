//! Input that cannot be built: the build fails and says why – also where Relaunch is optional in
//! its order and a failed detect would pass in silence.

use crate::harness::builder::Builder;
use crate::harness::{App, Build};

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn an_optional_member_still_fails_the_build_on_bad_input() {
    let builder = Builder::with_relaunch_optional();
    let cases = [
        ("web: bin/web\n", "maybe", "BP_LIVE_RELOAD_ENABLED"),
        ("web: bin/web\nthis is no process\n", "true", "line 2"),
        ("web:\n", "true", "web"),
    ];
    for (procfile, switch, said) in cases {
        let app = App::binary(procfile);
        let build = Build::with_builder(&app, &builder.name).live_reload(switch);
        let (success, image) = build.attempt();
        assert!(!success, "{procfile:?} with {switch:?} was built:\n{}", image.output);
        assert!(image.output.contains(said), "{said:?} is not in:\n{}", image.output);
    }
}
