//! What an engine without the image does about it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{BUSYBOX, PrivateEngine, World};

#[test]
fn the_default_image_is_never_pulled() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    for (image, command) in [
        ("wharf-default:latest", "wharf image build"),
        ("wharf-default", "wharf image build"),
        ("wharf-default-gpu", "wharf image build --gpu"),
    ] {
        assert_eq!(
            engine.wharf(["start", "--image", image]).arg(&project).failure(),
            format!(
                "error: there is no image `{image}` on this engine\n\
                 hint: make it with `{command}`, or name another with `--image`\n"
            )
        );
    }
    assert_eq!(engine.docker(&["ps", "--all", "--quiet"]), "");
    assert_eq!(engine.docker(&["volume", "ls", "--quiet"]), "");
}

/// Gives the engine an image that packages seem to be installed in, for as long as that needs no network.
fn make_base(engine: &PrivateEngine, world: &World) {
    engine.docker(&["create", "--name", "base", BUSYBOX, "true"]);
    for (name, script) in [("apt-get", "echo apt-get \"$@\" >>/asked"), ("infocmp", "true")] {
        let file = world.root().join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        engine.docker(&["cp", file.to_str().unwrap(), &format!("base:/bin/{name}")]);
    }
    engine.docker(&["commit", "base", "wharf-test-base:latest"]);
    engine.docker(&["rm", "base"]);
}

#[test]
fn the_default_images_are_made_listed_and_left_alone() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    make_base(&engine, &world);
    let build = |arguments: &[&str]| {
        let run = engine.wharf(["image", "build"]).args(arguments).env("WHARF_BASE_IMAGE", "wharf-test-base").run();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    };
    let none = engine.wharf(["image", "list"]).success();
    assert_eq!(none, "there are no images of wharf's yet; `wharf image build` makes the default one");
    assert_eq!(build(&[]), "wharf-default:latest is ready\n");
    let asked = engine.docker(&["run", "--rm", "--network=none", "wharf-default:latest", "cat", "/asked"]);
    let install: Vec<&str> = asked.lines().filter(|line| line.contains(" install ")).collect();
    assert_eq!(install.len(), 1, "{asked}");
    for package in ["tmux", "git", "ripgrep", "sqlite3", "procps", "ca-certificates"] {
        assert!(install[0].split(' ').any(|word| word == package), "{asked}");
    }
    let id = |image: &str| engine.inspect(image, "{{.Id}}");
    let first = id("wharf-default:latest");
    assert_eq!(build(&[]), "wharf-default:latest is there\n");
    assert_eq!(id("wharf-default:latest"), first);
    assert_eq!(build(&["--gpu"]), "wharf-default-gpu:latest is ready\n");
    let title = "{{index .Config.Labels \"org.opencontainers.image.title\"}}";
    assert_eq!(engine.inspect("wharf-default-gpu:latest", title), "wharf-default-gpu");
    assert_eq!(build(&["--force"]), "wharf-default:latest is ready\n");
    assert_ne!(id("wharf-default:latest"), first);

    let listed: serde_json::Value = serde_json::from_str(&engine.wharf(["image", "list", "--json"]).success()).unwrap();
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|image| image["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["wharf-default-gpu:latest", "wharf-default:latest"]);
    assert_eq!(listed[1]["id"], id("wharf-default:latest"));
    let table = engine.wharf(["image", "list"]).success();
    let heads: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heads, ["NAME", "ID", "SIZE", "CREATED", "PROJECT"]);
    // No container is left of it, and the image that has lost its name is gone.
    assert_eq!(engine.docker(&["ps", "--all", "--quiet"]), "");
    assert!(!engine.docker(&["images", "--no-trunc", "--quiet"]).contains(&first));
}

#[test]
fn without_a_registry_there_is_no_gpu_variant() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let build = engine.wharf(["image", "build", "--gpu"]).env("WHARF_BASE_IMAGE", "127.0.0.1:1/cuda:12");
    assert_eq!(
        build.failure(),
        "pulling image 127.0.0.1:1/cuda:12\n\
         error: could not pull image `127.0.0.1:1/cuda:12`: Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: \
         connect: network is unreachable\n\
         hint: see that the engine reaches its registry, or name another image with `--image`\n"
    );
    assert_eq!(engine.docker(&["images", "--quiet", "wharf-default-gpu"]), "");
}
