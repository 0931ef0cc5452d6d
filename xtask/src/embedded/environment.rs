//! Layers' variables (buildpack spec, "Environment"): folders that join path variables, then the
//! files of `env/` and `env.build/` or `env.launch/`, whose endings say how they combine.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Environment;
use crate::failure::Failure;

/// Where programs are in every image, and on every machine that runs this.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a buildpack sees before any layer: the system's variables, the target's, the user's.
pub(super) fn of_build(variables: &[(&str, &str)]) -> Environment {
    let mut environment = Environment::from([
        ("PATH".into(), SYSTEM_PATH.into()),
        ("HOME".into(), "/home/cnb".into()),
        ("CNB_TARGET_OS".into(), "linux".into()),
        ("CNB_TARGET_ARCH".into(), target_arch().into()),
        ("CNB_TARGET_DISTRO_NAME".into(), "debian".into()),
        ("CNB_TARGET_DISTRO_VERSION".into(), "12".into()),
    ]);
    for (name, value) in variables {
        environment.insert((*name).into(), (*value).into());
    }
    environment
}

/// What the launcher starts from: a container's variables.
pub(super) fn of_container() -> Environment {
    Environment::from([("PATH".into(), SYSTEM_PATH.into()), ("HOME".into(), "/home/cnb".into())])
}

fn target_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Adds the build layers of one buildpack, for the buildpacks after it.
pub(super) fn add_build_layers(
    environment: &mut Environment,
    layers: &Path,
) -> Result<(), Failure> {
    let folders = folders_in(layers)?;
    let build: Vec<PathBuf> =
        folders.into_iter().filter(|layer| has_type(layer, "build")).collect();
    for layer in &build {
        join_paths(
            environment,
            layer,
            &[
                ("bin", "PATH"),
                ("lib", "LD_LIBRARY_PATH"),
                ("lib", "LIBRARY_PATH"),
                ("include", "CPATH"),
            ],
        );
    }
    for layer in &build {
        add_files(environment, &layer.join("env"))?;
        add_files(environment, &layer.join("env.build"))?;
    }
    Ok(())
}

/// Adds the launch layers of one buildpack, as the launcher does for a process type.
pub(super) fn add_launch_layers(
    environment: &mut Environment,
    layers: &Path,
    process_type: &str,
) -> Result<(), Failure> {
    let folders = folders_in(layers)?;
    let launch: Vec<PathBuf> =
        folders.into_iter().filter(|layer| has_type(layer, "launch")).collect();
    for layer in &launch {
        join_paths(environment, layer, &[("bin", "PATH"), ("lib", "LD_LIBRARY_PATH")]);
    }
    for layer in &launch {
        add_files(environment, &layer.join("env"))?;
        add_files(environment, &layer.join("env.launch"))?;
        add_files(environment, &layer.join("env.launch").join(process_type))?;
    }
    Ok(())
}

/// Whether the layer's `NAME.toml` has this type.
fn has_type(layer: &Path, kind: &str) -> bool {
    let text = std::fs::read_to_string(layer.with_added_extension("toml")).unwrap_or_default();
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    table
        .get("types")
        .and_then(|types| types.get(kind))
        .and_then(toml::Value::as_bool)
        .unwrap_or(false)
}

fn join_paths(environment: &mut Environment, layer: &Path, joins: &[(&str, &str)]) {
    for (folder, variable) in joins {
        let folder = layer.join(folder);
        if folder.is_dir() {
            let joined = match environment.get(*variable) {
                Some(old) if !old.is_empty() => format!("{}:{old}", folder.display()),
                _ => folder.display().to_string(),
            };
            environment.insert((*variable).to_owned(), joined);
        }
    }
}

fn add_files(environment: &mut Environment, folder: &Path) -> Result<(), Failure> {
    for path in files_in(folder)? {
        let value = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
        let Some(name) = path.file_stem().and_then(OsStr::to_str) else {
            continue;
        };
        let delimiter = std::fs::read_to_string(folder.join(format!("{name}.delim")));
        let delimiter = delimiter.unwrap_or_default();
        let old = environment.get(name).cloned().unwrap_or_default();
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or("override");
        let combined = match ending {
            "delim" => continue,
            "default" if !old.is_empty() => continue,
            "append" if !old.is_empty() => old + &delimiter + &value,
            "prepend" if !old.is_empty() => value + &delimiter + &old,
            // API 0.5 and later: a file without an ending overrides.
            _ => value,
        };
        environment.insert(name.to_owned(), combined);
    }
    Ok(())
}

/// Folders by name, as the lifecycle visits them.
fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    entries(folder, Path::is_dir)
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    entries(folder, Path::is_file)
}

fn entries(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, Failure> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Failure::file(folder))? {
        let path = entry.map_err(Failure::file(folder))?.path();
        if wanted(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(files: &[(&str, &str)]) -> tempfile::TempDir {
        let layers = tempfile::tempdir().unwrap();
        std::fs::write(layers.path().join("one.toml"), "types.launch = true").unwrap();
        for (name, value) in files {
            let path = layers.path().join("one").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, value).unwrap();
        }
        layers
    }

    #[test]
    fn endings_say_how_a_variable_combines() {
        let layers = layer(&[
            ("env.launch/KEPT.default", "layer"),
            ("env.launch/EMPTY.default", "layer"),
            ("env.launch/FRONT.prepend", "layer"),
            ("env.launch/FRONT.delim", ":"),
            ("env/BACK.append", "layer"),
            ("env.launch/REPLACED", "layer"),
            ("env.launch/web/REPLACED.override", "web"),
            ("env.launch/worker/REPLACED", "worker"),
        ]);
        let names = ["KEPT", "EMPTY", "FRONT", "BACK", "REPLACED"];
        let values = ["run", "", "run", "run", "run"];
        let pairs = names.iter().zip(values);
        let mut environment: Environment =
            pairs.map(|(n, v)| ((*n).to_owned(), v.to_owned())).collect();
        add_launch_layers(&mut environment, layers.path(), "web").unwrap();
        let result = names.map(|name| environment[name].as_str());
        assert_eq!(result, ["run", "layer", "layer:run", "runlayer", "web"]);
    }

    #[test]
    fn a_launch_layers_bin_folder_comes_first_on_the_path() {
        let layers = layer(&[("bin/tool", "")]);
        let mut environment = Environment::from([("PATH".into(), "/bin".into())]);
        add_launch_layers(&mut environment, layers.path(), "web").unwrap();
        let bin = layers.path().join("one/bin");
        let path = format!("{}:/bin", bin.display());
        assert_eq!(environment, Environment::from([("PATH".into(), path)]));
    }
}
