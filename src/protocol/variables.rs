//! What a text takes from the environment of a container: `${containerEnv:NAME}`, or `${containerEnv:NAME:default}`.

/// Both sides replace it: the host for a new container, and the container's side in the hooks that it runs.
const CONTAINER: &str = "containerEnv";

/// The text with what `container` knows by these names; what it does not know is the default, or nothing.
pub fn expand(text: &str, container: impl Fn(&str) -> Option<String>) -> String {
    replace(text, |variable, arguments| match (variable, arguments) {
        (CONTAINER, [name, rest @ ..]) => Some(container(name).unwrap_or_else(|| rest.first().unwrap_or(&"").to_string())),
        _ => None,
    })
}

/// Replaces each `${VARIABLE}` and `${VARIABLE:ARGUMENT:…}` by what `replacement` gives; what it gives nothing for stays.
pub fn replace(text: &str, mut replacement: impl FnMut(&str, &[&str]) -> Option<String>) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let (written, after) = rest[start..].split_at(length + 1);
        let parts: Vec<&str> = written[2..length].split(':').collect();
        replaced.push_str(&rest[..start]);
        match replacement(parts[0], &parts[1..]) {
            Some(value) => replaced.push_str(&value),
            None => replaced.push_str(written),
        }
        rest = after;
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_container_has_takes_the_variables_place() {
        let container = |name: &str| (name == "PATH").then(|| "/usr/bin:/bin".to_owned());
        for (text, expected) in [
            ("${containerEnv:PATH}:/opt", "/usr/bin:/bin:/opt"),
            ("${containerEnv:NONE}x${containerEnv:NONE:y}", "xy"),
            ("${PATH} ${containerEnv} $HOME ${unclosed", "${PATH} ${containerEnv} $HOME ${unclosed"),
            ("", ""),
        ] {
            assert_eq!(expand(text, container), expected, "{text}");
        }
    }
}
