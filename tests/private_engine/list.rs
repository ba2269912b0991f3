//! R70: the list of a whole engine, to the letter.

use std::fs;

use crate::support::{PrivateEngine, World, wait_for_equal};

#[test]
fn the_list_is_a_table_of_everything_there_is() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    engine.load_default_image();
    let home = world.root().join("home");
    for name in ["api", "web", "old"] {
        let project = home.join(name);
        fs::create_dir(&project).unwrap();
        engine.wharf(["open", "--detach"]).arg(&project).success();
    }
    engine.wharf(["open", "--detach", "--session", "logs"]).arg(home.join("api")).success();
    engine.wharf(["stop"]).arg(home.join("web")).success();
    fs::remove_dir(home.join("old")).unwrap();
    // Used, as the history knows, two hours ago.
    let history = world.root().join("state/wharf/history");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let line = |name: &str| {
        let path = home.join(name);
        format!("{{\"at\":{},\"project\":\"{}\"}}\n", now - 2 * 60 * 60, path.display())
    };
    fs::write(&history, line("web")).unwrap();
    // The engine's order is that of names, and theirs ends with the path's hash.
    let table = || {
        let mut lines: Vec<String> = engine.wharf(["list"]).success().lines().map(str::to_owned).collect();
        lines[1..].sort();
        lines.join("\n")
    };
    let expected = "\
NAME  STATE               SESSIONS   IMAGE                 PORTS  PROJECT  LAST USED
api   running             logs,main  wharf-default:latest  -      ~/api    -
old   running (orphaned)  main       wharf-default:latest  -      ~/old    -
web   exited              -          wharf-default:latest  -      ~/web    2 hours ago";
    wait_for_equal("the table", expected, table);
    // Nothing but what a reader wants in a pipe, and no colours where nobody wants them.
    assert!(!engine.wharf(["list"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").success().contains('\x1b'));
    let rows: serde_json::Value = serde_json::from_str(&engine.wharf(["list", "--json"]).success()).unwrap();
    let old = rows.as_array().unwrap().iter().find(|row| row["name"] == "old").unwrap();
    assert_eq!(
        (&old["orphaned"], &old["last_used"], &old["project"]),
        (&true.into(), &().into(), &home.join("old").to_str().unwrap().into())
    );
}
