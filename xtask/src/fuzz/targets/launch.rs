//! What earlier buildpacks and the lifecycle wrote: `launch.toml` and `group.toml`.

use relaunch_buildpack::buildpack::earlier::{self, Earlier, EarlierProcess, Form};
use relaunch_buildpack::buildpack::order;
use toml::Value;

use super::super::target::Target;
use super::{holds, same};

pub(crate) const TARGET: Target = Target {
    words: &[
        "[[processes]]\n",
        "type = \"web\"\n",
        "command = \"app\"\n",
        "command = [\"app\", \"-v\"]\n",
        "args = [\"a\"]\n",
        "direct = true\n",
        "default = true\n",
        "working-dir = \".\"\n",
        "exec-env = [\"test\"]\n",
        "[[group]]\n",
        "id = \"relaunch/live-reload\"\n",
        "id = \"a/b\"\n",
        "[[",
        "]]",
        "'''",
        "\"\"\"",
        "\\u0000",
        "{a = 1}",
    ],
    short: 6_000,
    ..Target::new(
        "launch",
        "no process and no word of a launch.toml is lost or made up, and every other buildpack of a group.toml stands before or after us",
        check,
    )
};

const OURS: &str = "relaunch/live-reload";

fn check(input: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(input) else { return Ok(()) };
    // A number that is too large is no table, but nothing to those who do not look at it.
    let Ok(table) = toml::from_str::<toml::Table>(text) else { return Ok(()) };
    if let Ok(processes) = earlier::parse(text, "a/procfile") {
        let declared = table.get("processes").and_then(Value::as_array);
        let declared = declared.map(Vec::as_slice).unwrap_or_default();
        same(&processes.len(), &declared.len(), "processes")?;
        for (process, declared) in processes.iter().zip(declared) {
            same(&Some(process.process_type.as_str()), &declared["type"].as_str(), "type")?;
            same(&words(process), &declared_words(declared), "words")?;
        }
        effects(&Earlier { processes })?;
    }
    if let Ok(order) = order::parse(text, OURS) {
        let group = table.get("group").and_then(Value::as_array);
        let ids = group.into_iter().flatten().filter_map(|member| member["id"].as_str());
        let ids: Vec<&str> = ids.collect();
        let mut ours = ids.splitn(2, |id| *id == OURS);
        let [before, after] = [(); 2].map(|()| ours.next().unwrap_or_default());
        same(&order.earlier, &before.iter().map(|id| (*id).to_owned()).collect(), "earlier")?;
        same(&order.later, &after.iter().map(|id| (*id).to_owned()).collect(), "later")?;
    }
    Ok(())
}

fn words(process: &EarlierProcess) -> Vec<String> {
    match process.form.clone() {
        Form::Current { command, args } => [command, args].concat(),
        Form::Direct(words) => words,
        Form::Shell { command, args } => [vec![command], args].concat(),
    }
}

fn declared_words(process: &Value) -> Vec<String> {
    let list = |name: &str| match process.get(name) {
        Some(Value::String(word)) => vec![word.clone()],
        Some(Value::Array(words)) => {
            words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    };
    [list("command"), list("args")].concat()
}

/// What the image would have is among what was declared.
fn effects(earlier: &Earlier) -> Result<(), String> {
    let effective = earlier.effective();
    for process in &earlier.processes {
        let one = effective.iter().filter(|it| it.process_type == process.process_type).count();
        same(&one, &1, "processes of one type")?;
    }
    let default = earlier.default_type();
    let declared = default.is_none_or(|it| effective.iter().any(|one| one.process_type == it));
    holds(declared, "a default that nobody declared")
}
