//! What becomes of releases.

use super::*;

scenarios! {
    release_is_installed: "a release is installed, then nothing changes", |world| {
        with_builds(world, "touch instance.cfg");
        wanted_releases(world, &[("one", SoftwareState::Available)]);
        world.software(&[]);
        world.note_files("software");
        world.software(&[]);
    }, [];

    release_fails_and_is_resumed: "a build fails twice, then succeeds", |world| {
        with_builds(world, "echo no compiler; exit 1");
        wanted_releases(world, &[("one", SoftwareState::Available)]);
        world.software(&[]);
        world.note_files("software");
        world.software(&[]);
        world.note_files("software");
        with_builds(world, "touch instance.cfg");
        world.software(&[]);
        world.note_files("software");
    }, [];

    releases_forced_named_and_removed: "--force, --only-sr, destroyed, --garbage-collect", |world| {
        with_builds(world, "touch instance.cfg");
        wanted_releases(world, &[("one", SoftwareState::Available), ("two", SoftwareState::Available)]);
        world.software(&[]);
        world.software(&["--force"]);
        world.software(&["--only-sr", "http://releases.invalid/two/software.cfg"]);
        wanted_releases(world, &[("two", SoftwareState::Destroyed)]);
        world.software(&[]);
        world.note_files("software");
        world.software(&["--garbage-collect"]);
        world.note_files("software");
    }, [
        Difference {
            name: BUILT_WHEN_NAMED,
            side: Ours,
            line: "call buildingSoftwareRelease http://releases.invalid/two/",
            because: "so it was in 0.27, and so the help of the peer says",
        },
        Difference {
            name: BUILT_WHEN_NAMED,
            side: Ours,
            line: "call availableSoftwareRelease http://releases.invalid/two/",
            because: "so it was in 0.27, and so the help of the peer says",
        },
    ];

    period: "the release says how often its instances are processed", |world| {
        let url = deployed(world, SERVICES);
        fs::write(world.node.release(&url).join("periodicity"), "0\n").expect("the release is ours");
        change_script(world, &url, "rm -rf etc; service other 'exec sleep 1000'");
        world.instance(&[]);
        world.note_services();
        fs::write(world.node.release(&url).join("periodicity"), "-1\n").expect("the release is ours");
        world.node.configure(&[("maximum_periodicity", "0")]);
        change_script(world, &url, "exit 1");
        world.instance(&[]);
    }, [
        SILENT,
    ];

    no_space_for_an_instance: "too little space for an instance", |world| {
        world.node.configure(&[("instance_min_free_space", "100000G")]);
        with_instance(world, SERVICES);
        world.instance(&[]);
        world.note_services();
        world.note_files("instance/slappart0");
    }, [];

    no_space: "too little space for a release", |world| {
        world.node.configure(&[("software_min_free_space", "100000G")]);
        wanted_releases(world, &[("one", SoftwareState::Available)]);
        world.software(&[]);
        world.note_files("software");
    }, [];
}
