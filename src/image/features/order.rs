//! In which order features are installed. Pure.

use super::Feature;
use super::reference::Reference;
use crate::error::{Error, Result};

/// In rounds: of all whose dependencies are installed, those with the highest priority come next, by their names.
pub fn sort(features: Vec<Feature>, priority: &[String]) -> Result<Vec<Feature>> {
    let priority_of = |feature: &Feature| {
        let place = priority.iter().position(|id| is_called(feature, id));
        place.map_or(0, |place| priority.len() - place)
    };
    let waits_for: Vec<Vec<usize>> = features
        .iter()
        .enumerate()
        .map(|(i, feature)| {
            let after = |id: &String| features.iter().position(|other| is_called(other, id)).filter(|other| *other != i);
            feature.depends_on.iter().copied().chain(feature.metadata.installs_after.iter().filter_map(after)).collect()
        })
        .collect();
    let mut order: Vec<usize> = Vec::new();
    while order.len() < features.len() {
        let is_ready = |i: &usize| !order.contains(i) && waits_for[*i].iter().all(|other| order.contains(other));
        let ready: Vec<usize> = (0..features.len()).filter(is_ready).collect();
        let Some(highest) = ready.iter().map(|&i| priority_of(&features[i])).max() else {
            let left: Vec<String> = (0..features.len()).filter(|i| !order.contains(i)).map(|i| features[i].id.clone()).collect();
            let message = format!("features wait for each other: {}", left.join(", "));
            return Err(Error::Feature { id: left[0].clone(), message });
        };
        let mut round: Vec<usize> = ready.into_iter().filter(|&i| priority_of(&features[i]) == highest).collect();
        round.sort_by(|&a, &b| (&features[a].name, &features[a].id).cmp(&(&features[b].name, &features[b].id)));
        order.extend(round);
    }
    let mut features: Vec<Option<Feature>> = features.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|i| features[i].take()).collect())
}

/// Whether an id means a feature, whatever version either says.
fn is_called(feature: &Feature, id: &str) -> bool {
    let base = std::path::Path::new("/");
    let name = Reference::parse(id, base).name();
    // The path of one of the project's own is written relative to it.
    feature.name == name || id.starts_with("./") && feature.id.trim_end_matches('/') == id.trim_end_matches('/')
}
