//! GPUs, as far as an engine can hand them to a container.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Engine, upgrade};
use crate::error::{Error, Result};

/// What an engine says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Info {
    runtimes: Option<serde_json::Map<String, serde_json::Value>>,
    /// Where descriptions of devices are, and which devices there are by them (engine 25 and 28).
    #[serde(rename = "CDISpecDirs")]
    spec_dirs: Option<Vec<IgnoredAny>>,
    discovered_devices: Option<Vec<IgnoredAny>>,
}

impl Info {
    fn has_gpus(&self) -> bool {
        let has_some = |list: &Option<Vec<IgnoredAny>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let has_runtime = self.runtimes.as_ref().is_some_and(|runtimes| runtimes.contains_key("nvidia"));
        has_runtime || has_some(&self.spec_dirs) || has_some(&self.discovered_devices)
    }
}

impl Engine {
    /// Whether the engine has a way to give a container GPUs.
    pub async fn has_gpus(&self) -> Result<bool> {
        let action = "ask the engine for GPUs";
        let answer = self.within(super::LOOK, action, upgrade::get(&self.endpoint.socket, "/info")).await?;
        let answer = answer.map_err(|error| self.explain(action, error))?;
        let info: Info = serde_json::from_slice(&answer).map_err(|error| Error::Engine {
            action: action.to_owned(),
            message: format!("its answer does not read as one: {error}"),
            status: None,
        })?;
        Ok(info.has_gpus())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_or_descriptions_of_devices_are_a_way() {
        for (info, expected) in [
            ("{}", false),
            (r#"{"Runtimes":{"runc":{"path":"runc"}},"CDISpecDirs":[],"DiscoveredDevices":null}"#, false),
            (r#"{"Runtimes":{"runc":{},"nvidia":{"path":"nvidia-container-runtime"}}}"#, true),
            (r#"{"Runtimes":null,"CDISpecDirs":["/etc/cdi"]}"#, true),
            (r#"{"DiscoveredDevices":[{"Source":"cdi","ID":"nvidia.com/gpu=0"}]}"#, true),
        ] {
            assert_eq!(serde_json::from_str::<Info>(info).unwrap().has_gpus(), expected, "{info}");
        }
    }
}
