//! The buildpack: `bin/detect` and `bin/build`. A table of contents: every decision is taken
//! before the first layer is written, so that a build that fails leaves everything as it was.

#![allow(unsafe_code)] // One call, which completes our environment before libcnb reads it.

use libcnb::Buildpack;
use libcnb::build::{BuildContext, BuildResult, BuildResultBuilder};
use libcnb::data::launch::LaunchBuilder;
use libcnb::detect::{DetectContext, DetectResult, DetectResultBuilder};
use libcnb::generic::{GenericMetadata, GenericPlatform};
use libherokubuildpack::log::{log_error, log_header, log_info, log_warning};
use relaunch_buildpack::buildpack::baking::{Baked, Environment, Folders};
use relaunch_buildpack::buildpack::layers::{supervisor, target};
use relaunch_buildpack::buildpack::plan::Request;
use relaunch_buildpack::buildpack::processes::{Processes, Situation};
use relaunch_buildpack::buildpack::procfile::Procfile;
use relaunch_buildpack::buildpack::profile::Profile;
use relaunch_buildpack::buildpack::rights::Change;
use relaunch_buildpack::buildpack::{
    BuildpackError, baking, earlier, errors, order, plan, platform, processes, procfile, report,
    rights,
};
use std::collections::BTreeMap;
use std::path::Path;

struct RelaunchBuildpack;

impl Buildpack for RelaunchBuildpack {
    type Platform = GenericPlatform;
    type Metadata = GenericMetadata;
    type Error = BuildpackError;

    /// Always passes: an optional buildpack whose detect fails is skipped in silence, so errors
    /// are for build to raise.
    fn detect(&self, context: DetectContext<Self>) -> libcnb::Result<DetectResult, Self::Error> {
        let plan = plan::offer(procfile::read(&context.app_dir)).map_err(BuildpackError::Plan)?;
        DetectResultBuilder::pass().build_plan(plan).build()
    }

    fn build(&self, context: BuildContext<Self>) -> libcnb::Result<BuildResult, Self::Error> {
        let environment: Environment = std::env::vars_os().collect();
        let request = plan::request(&context.buildpack_plan);
        if !baking::is_on(&environment).map_err(BuildpackError::Setting)? {
            if request.watchexec {
                supervisor::create(&context, &BTreeMap::new())?;
            }
            log_info(report::off(request.watchexec));
            return BuildResultBuilder::new().build();
        }

        let Decisions { settings, procfile, later, processes, rights } =
            decide(&context, &environment, request)?;

        supervisor::create(&context, &settings.launch)?;
        target::create(&context)?;
        rights::apply(&rights).map_err(BuildpackError::Rights)?;

        log_header(report::HEADLINE);
        log_info(report::on(&processes, &context.app_dir, &settings.target));
        for (headline, body) in
            report::warnings(&procfile.warnings, &settings.warnings, &later, &processes)
        {
            log_warning(headline, body);
        }

        let launched = processes.declared.into_iter().map(|declared| declared.process);
        BuildResultBuilder::new().launch(LaunchBuilder::new().processes(launched).build()).build()
    }

    fn on_error(&self, error: libcnb::Error<Self::Error>) {
        let prose = errors::prose(&error);
        let (headline, body) = prose.split_once('\n').unwrap_or((&prose, ""));
        log_error(headline, body);
    }
}

/// All that build decides with the switch on.
struct Decisions {
    settings: Baked,
    procfile: Procfile,
    later: Vec<String>,
    processes: Processes,
    rights: Vec<Change>,
}

/// Reads and decides; writes nothing.
fn decide(
    context: &BuildContext<RelaunchBuildpack>,
    environment: &Environment,
    request: Request,
) -> Result<Decisions, BuildpackError> {
    let layers_root = context.layers_dir.parent().unwrap_or(Path::new("/"));
    let folders =
        Folders { app: &context.app_dir, layers_root, target: &target::path(&context.layers_dir) };
    let settings = baking::bake(environment, folders).map_err(BuildpackError::Setting)?;

    // The plan's Procfile is the one that the user wrote; the app folder may be emptied by now.
    let procfile = request
        .procfile
        .or_else(|| procfile::read(&context.app_dir))
        .map(|found| procfile::parse(&found).map_err(BuildpackError::Procfile))
        .transpose()?
        .unwrap_or_default();

    let order = order::read(layers_root, &context.buildpack_descriptor.buildpack.id)
        .map_err(BuildpackError::Order)?;
    let earlier = earlier::read(layers_root, &order.earlier).map_err(BuildpackError::Earlier)?;
    let scripts = Profile::of(&context.app_dir, layers_root, &order);

    let processes = processes::decide(&Situation {
        procfile: &procfile.processes,
        earlier: &earlier,
        wanted: settings.processes.as_deref(),
        followed: !order.later.is_empty(),
        watchexec: request.watchexec,
        relaunch: &supervisor::binary_path(&context.layers_dir).to_string_lossy(),
        profile: scripts.has_scripts().then_some(&scripts),
    })
    .map_err(BuildpackError::Processes)?;

    let rights = rights::plan(&context.app_dir, layers_root, &processes.words)
        .map_err(BuildpackError::Rights)?;

    Ok(Decisions { settings, procfile, later: order.later, processes, rights })
}

fn main() {
    // SAFETY: the first statement of main; no thread has been started yet.
    unsafe { platform::complete_target() };
    libcnb::libcnb_runtime(&RelaunchBuildpack);
}
