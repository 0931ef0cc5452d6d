//! Build variables: the switch, and the settings that are baked into the launch environment.
//! Values only.
//!
//! They come from the process environment and not from the platform folder: a builder's own
//! `[[build.env]]` shows up only there, and the platform's variables do as well.

use crate::settings::{
    ALL, APP_DIR_VARIABLE, ENABLED_VARIABLE, GENERATION_VARIABLE, InvalidSetting,
    LAYERS_DIR_VARIABLE, PREFIX, PROCESSES_VARIABLE, STATE, Settings, TARGET_VARIABLE,
    parse_switch,
};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variables of the build.
pub type Environment = BTreeMap<OsString, OsString>;

/// What the build variables say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baked {
    /// The launch environment: name and value of each `.default`.
    pub launch: BTreeMap<String, OsString>,
    /// Where synced files go, as an absolute path of the image.
    pub target: PathBuf,
    /// The process types to wrap; `None` = by rule.
    pub processes: Option<Vec<String>>,
    /// Variables that have no effect.
    pub warnings: Vec<SettingWarning>,
}

/// A variable of ours without effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingWarning {
    /// There is no such variable.
    Unknown {
        /// Its name.
        name: String,
        /// The known name that is hardly different.
        nearest: Option<String>,
    },
    /// It means something at run time only, or is set by the buildpack.
    NotAtBuild {
        /// Its name.
        name: String,
    },
}

/// The folders that the launch environment names.
#[derive(Debug, Clone, Copy)]
pub struct Folders<'a> {
    /// The app folder.
    pub app: &'a Path,
    /// The folder of all buildpacks' layers.
    pub layers_root: &'a Path,
    /// The target layer.
    pub target: &'a Path,
}

/// Whether live reload is on; unset and empty mean off.
///
/// # Errors
///
/// A value that is neither on nor off.
pub fn is_on(environment: &Environment) -> Result<bool, InvalidSetting> {
    let Some(value) = set(environment, ENABLED_VARIABLE) else {
        return Ok(false);
    };
    parse_switch(&value.to_string_lossy())
        .map_err(|reason| InvalidSetting { source_name: ENABLED_VARIABLE.to_owned(), reason })
}

/// Checks every setting and lays out the launch environment.
///
/// # Errors
///
/// The first variable whose value cannot be taken.
pub fn bake(environment: &Environment, folders: Folders) -> Result<Baked, InvalidSetting> {
    // STATE is validated like the others but never baked: a folder of the build means nothing at
    // run time.
    Settings::from_variables(|name| set(environment, name).cloned())?;
    let target = match set(environment, TARGET_VARIABLE) {
        None => folders.target.to_owned(),
        Some(value) if Path::new(value).is_absolute() => PathBuf::from(value),
        Some(value) => {
            return Err(InvalidSetting {
                source_name: TARGET_VARIABLE.to_owned(),
                reason: format!("\"{}\" is not an absolute path of the image", value.display()),
            });
        }
    };
    let mut launch: BTreeMap<String, OsString> = ALL
        .iter()
        .map(crate::settings::Setting::variable)
        .filter_map(|name| set(environment, &name).map(|value| (name, value.clone())))
        .collect();
    launch.extend([
        (TARGET_VARIABLE.to_owned(), target.clone().into()),
        (APP_DIR_VARIABLE.to_owned(), folders.app.into()),
        (LAYERS_DIR_VARIABLE.to_owned(), folders.layers_root.into()),
    ]);
    Ok(Baked {
        launch,
        target,
        processes: wanted_processes(environment)?,
        warnings: warnings(environment),
    })
}

fn wanted_processes(environment: &Environment) -> Result<Option<Vec<String>>, InvalidSetting> {
    let Some(value) = set(environment, PROCESSES_VARIABLE) else {
        return Ok(None);
    };
    let value = value.to_str().ok_or_else(|| InvalidSetting {
        source_name: PROCESSES_VARIABLE.to_owned(),
        reason: format!("{} is not UTF-8", value.display()),
    })?;
    let types: Vec<String> = value
        .split(',')
        .map(str::trim)
        .filter(|process_type| !process_type.is_empty())
        .map(str::to_owned)
        .collect();
    Ok((!types.is_empty()).then_some(types))
}

/// An empty variable counts as unset, as `.default` files have it.
fn set<'a>(environment: &'a Environment, name: &str) -> Option<&'a OsString> {
    environment.get(&OsString::from(name)).filter(|value| !value.is_empty())
}

fn warnings(environment: &Environment) -> Vec<SettingWarning> {
    let effective: Vec<String> = ALL
        .iter()
        .map(crate::settings::Setting::variable)
        .chain([TARGET_VARIABLE.to_owned(), PROCESSES_VARIABLE.to_owned()])
        .collect();
    let at_run_time = [
        STATE.variable(),
        APP_DIR_VARIABLE.to_owned(),
        LAYERS_DIR_VARIABLE.to_owned(),
        GENERATION_VARIABLE.to_owned(),
    ];
    environment
        .keys()
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.starts_with(PREFIX) && !effective.contains(name))
        .map(|name| {
            if at_run_time.contains(&name) {
                SettingWarning::NotAtBuild { name }
            } else {
                let nearest = nearest(&name, &effective);
                SettingWarning::Unknown { name, nearest }
            }
        })
        .collect()
}

/// The known name at the smallest edit distance, if that is small enough to be a typing error.
fn nearest(name: &str, known: &[String]) -> Option<String> {
    known
        .iter()
        .map(|known| (edit_distance(name, known), known))
        .filter(|(distance, _)| *distance <= 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known.clone())
}

/// Levenshtein's distance, in bytes: names of variables are ASCII.
fn edit_distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn baked(pairs: &[(&str, &str)]) -> Result<Baked, InvalidSetting> {
        let folders = Folders {
            app: Path::new("/workspace"),
            layers_root: Path::new("/layers"),
            target: Path::new("/layers/relaunch_live-reload/target"),
        };
        bake(&environment(pairs), folders)
    }

    fn launch(pairs: &[(&str, &str)]) -> BTreeMap<String, OsString> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect()
    }

    #[test]
    fn the_switch_is_off_unless_it_is_set_to_on() {
        let on = |pairs| is_on(&environment(pairs)).map_err(|error| error.to_string());
        assert_eq!(on(&[]), Ok(false));
        assert_eq!(on(&[(ENABLED_VARIABLE, "")]), Ok(false));
        assert_eq!(on(&[(ENABLED_VARIABLE, "F")]), Ok(false));
        assert_eq!(on(&[(ENABLED_VARIABLE, "1")]), Ok(true));
        let expected =
            "BP_LIVE_RELOAD_ENABLED: \"yes\" is neither on nor off; write true, 1, false or 0";
        assert_eq!(on(&[(ENABLED_VARIABLE, "yes")]), Err(expected.to_owned()));
    }

    #[test]
    fn settings_are_baked_beside_the_folders() {
        let expected = Baked {
            launch: launch(&[
                ("RELAUNCH_APP_DIR", "/workspace"),
                ("RELAUNCH_LAYERS_DIR", "/layers"),
                ("RELAUNCH_SETTLE", "20ms"),
                ("RELAUNCH_TARGET", "/layers/relaunch_live-reload/target"),
                ("RELAUNCH_WATCH", "a:b"),
            ]),
            target: PathBuf::from("/layers/relaunch_live-reload/target"),
            processes: Some(vec!["web".to_owned(), "worker".to_owned()]),
            warnings: vec![],
        };
        let variables = [
            ("RELAUNCH_SETTLE", "20ms"),
            ("RELAUNCH_WATCH", "a:b"),
            ("RELAUNCH_LOG", ""),
            ("RELAUNCH_PROCESSES", "web, worker,"),
            ("PATH", "/bin"),
        ];
        assert_eq!(baked(&variables), Ok(expected));
    }

    #[test]
    fn the_target_may_point_elsewhere() {
        let baked = baked(&[("RELAUNCH_TARGET", "/volume")]).unwrap();
        assert_eq!(baked.target, PathBuf::from("/volume"));
        assert_eq!(baked.launch["RELAUNCH_TARGET"], "/volume");
    }

    #[test]
    fn invalid_values_are_refused_by_name() {
        let error = |pairs| baked(pairs).unwrap_err().to_string();
        assert_eq!(
            error(&[("RELAUNCH_SETTLE", "fast")]),
            "RELAUNCH_SETTLE: \"fast\" is not a duration; write it as 20ms, 2s or 1m"
        );
        assert_eq!(
            error(&[("RELAUNCH_TARGET", "target")]),
            "RELAUNCH_TARGET: \"target\" is not an absolute path of the image"
        );
    }

    #[test]
    fn variables_without_effect_are_told_with_the_name_they_resemble() {
        let variables = [
            ("RELAUNCH_APP_DIR", "/poison"),
            ("RELAUNCH_COLOUR", "x"),
            ("RELAUNCH_SETLE", "20ms"),
            ("RELAUNCH_STATE", "/s"),
        ];
        let baked = baked(&variables).unwrap();
        let not_at_build = |name: &str| SettingWarning::NotAtBuild { name: name.to_owned() };
        let unknown = |name: &str, nearest: Option<&str>| SettingWarning::Unknown {
            name: name.to_owned(),
            nearest: nearest.map(str::to_owned),
        };
        assert_eq!(
            baked.warnings,
            [
                not_at_build("RELAUNCH_APP_DIR"),
                unknown("RELAUNCH_COLOUR", None),
                unknown("RELAUNCH_SETLE", Some("RELAUNCH_SETTLE")),
                not_at_build("RELAUNCH_STATE"),
            ]
        );
        assert_eq!(baked.launch["RELAUNCH_APP_DIR"], "/workspace");
        assert!(!baked.launch.contains_key("RELAUNCH_STATE"));
    }
}
