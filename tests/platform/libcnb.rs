//! The same product through libcnb-test, which buildpack authors know.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use libcnb_test::{BuildConfig, BuildpackReference, ContainerConfig, TestRunner, assert_contains};

use crate::harness::{App, host};

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn builds_and_starts_the_app_of_the_procfile() {
    let app = App::binary("web: bin/web --port 8080\n");
    let mut config = BuildConfig::new(host::prepared("XTASK_BUILDER"), app.path());
    config
        .buildpacks([BuildpackReference::Other(host::buildpack())])
        // start_container knows only the musl triples; nothing is compiled for it.
        .target_triple(format!("{}-unknown-linux-musl", std::env::consts::ARCH))
        .env("BP_LIVE_RELOAD_ENABLED", "true");
    TestRunner::default().build(config, |context| {
        assert_contains!(context.pack_stdout, "/layers/relaunch_live-reload/target/bin");
        context.start_container(ContainerConfig::new().expose_port(8080), |container| {
            let deadline = Instant::now() + Duration::from_secs(40);
            while !container.logs_now().stdout.contains("started version=v1") {
                assert!(Instant::now() < deadline, "no start:\n{}", container.logs_now());
                std::thread::sleep(Duration::from_millis(50));
            }
            let mut page = String::new();
            let mut connection =
                TcpStream::connect(container.address_for_port(8080)).expect("the port is open");
            connection.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
            connection.read_to_string(&mut page).unwrap();
            assert_contains!(page, "generation=1");
        });
    });
}
