//! `buildout.cfg` of a partition: the profile that the release brings, and our tail.

use std::fmt::Write as _;
use std::path::Path;

/// What the tail tells the profile about the partition and its master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileTail<'a> {
    /// The computer's reference.
    pub(crate) computer_id: &'a str,
    /// The partition's reference.
    pub(crate) partition_id: &'a str,
    /// URL of the master.
    pub(crate) server_url: &'a str,
    /// URL of the release.
    pub(crate) software_release_url: &'a str,
    /// Key to use at the master; `None`: the master wants none.
    pub(crate) key_file: Option<&'a Path>,
    /// Certificate to use at the master.
    pub(crate) cert_file: Option<&'a Path>,
    /// Directories of shared parts.
    pub(crate) shared_part_list: &'a [String],
    /// Directories of parts that are only needed to build.
    pub(crate) build_time_part_list: &'a [String],
    /// The state that the master asks for.
    pub(crate) requested_state: &'a str,
    /// Where instances keep bulky data.
    pub(crate) storage_home: &'a str,
    /// The IPv4 network that this node routes to.
    pub(crate) global_ipv4_network: &'a str,
}

/// A value that would end its line, and so could say anything in the profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} {value:?} has control characters and cannot stand in buildout.cfg")]
pub(crate) struct UnprintableValue {
    key: &'static str,
    value: String,
}

impl ProfileTail<'_> {
    /// The whole text of `buildout.cfg`.
    pub(crate) fn append_to(&self, profile: &str) -> Result<String, UnprintableValue> {
        let mut text = format!(
            "{profile}\n\n\
             # From here on: added by slapgrid.\n\
             [buildout]\n\
             # programs of the instance\n\
             bin-directory = ${{buildout:directory}}/sbin\n\
             # an instance is built of what its release has installed\n\
             offline = true\n"
        );
        text.push_str(&self.connection()?);
        text.push_str(&self.old_connection()?);
        let mut places = Section::new("storage-configuration");
        places.value("storage-home", self.storage_home)?;
        text.push_str(&places.text);
        let mut network = Section::new("network-information");
        network.value("global-ipv4-network", self.global_ipv4_network)?;
        text.push_str(&network.text);
        Ok(text)
    }

    fn connection(&self) -> Result<String, UnprintableValue> {
        let mut section = Section::new("slap-connection");
        section.value("computer-id", self.computer_id)?;
        section.value("partition-id", self.partition_id)?;
        section.value("server-url", self.server_url)?;
        section.value("software-release-url", self.software_release_url)?;
        section.path("key-file", self.key_file)?;
        section.path("cert-file", self.cert_file)?;
        section.list("shared-part-list", self.shared_part_list)?;
        section.list("build-time-part-list", self.build_time_part_list)?;
        section.value("requested-state", self.requested_state)?;
        Ok(section.text)
    }

    /// The section under the name and with the keys that profiles of before 1.0 read.
    fn old_connection(&self) -> Result<String, UnprintableValue> {
        let mut section = Section::new("slap_connection");
        section.value("computer_id", self.computer_id)?;
        section.value("partition_id", self.partition_id)?;
        section.value("server_url", self.server_url)?;
        section.value("software_release_url", self.software_release_url)?;
        section.path("key_file", self.key_file)?;
        section.path("cert_file", self.cert_file)?;
        Ok(section.text)
    }
}

struct Section {
    text: String,
}

impl Section {
    fn new(name: &str) -> Self {
        Self {
            text: format!("\n[{name}]\n"),
        }
    }

    fn value(&mut self, key: &'static str, value: &str) -> Result<(), UnprintableValue> {
        check(key, value)?;
        self.write(format_args!("{key} = {value}\n"));
        Ok(())
    }

    fn path(&mut self, key: &'static str, path: Option<&Path>) -> Result<(), UnprintableValue> {
        let value = path.map(|path| path.to_string_lossy()).unwrap_or_default();
        self.value(key, &value)
    }

    fn list(&mut self, key: &'static str, values: &[String]) -> Result<(), UnprintableValue> {
        self.write(format_args!("{key} =\n"));
        for value in values {
            check(key, value)?;
            self.write(format_args!("  {value}\n"));
        }
        Ok(())
    }

    fn write(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(line);
    }
}

fn check(key: &'static str, value: &str) -> Result<(), UnprintableValue> {
    if value.chars().any(char::is_control) {
        return Err(UnprintableValue {
            key,
            value: value.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail() -> ProfileTail<'static> {
        ProfileTail {
            computer_id: "COMP-1",
            partition_id: "slappart0",
            server_url: "https://master.example/",
            software_release_url: "https://sr.example/software.cfg",
            key_file: Some(Path::new("/certs/slappart0.key")),
            cert_file: Some(Path::new("/certs/slappart0.crt")),
            shared_part_list: &[],
            build_time_part_list: &[],
            requested_state: "started",
            storage_home: "",
            global_ipv4_network: "",
        }
    }

    /// The key-value lines of a section, in order.
    fn section<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
        text.lines()
            .skip_while(|line| *line != format!("[{name}]"))
            .skip(1)
            .take_while(|line| !line.starts_with('['))
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect()
    }

    #[test]
    fn the_profile_comes_first_and_unchanged() {
        let text = tail().append_to("[buildout]\nparts = a\n").unwrap();
        assert!(text.starts_with("[buildout]\nparts = a\n\n\n"), "{text}");
    }

    #[test]
    fn sections_have_the_keys_that_profiles_read() {
        let text = tail().append_to("").unwrap();
        assert_eq!(
            section(&text, "buildout"),
            [
                "bin-directory = ${buildout:directory}/sbin",
                "offline = true"
            ]
        );
        assert_eq!(
            section(&text, "slap-connection"),
            [
                "computer-id = COMP-1",
                "partition-id = slappart0",
                "server-url = https://master.example/",
                "software-release-url = https://sr.example/software.cfg",
                "key-file = /certs/slappart0.key",
                "cert-file = /certs/slappart0.crt",
                "shared-part-list =",
                "build-time-part-list =",
                "requested-state = started",
            ]
        );
        assert_eq!(
            section(&text, "slap_connection"),
            [
                "computer_id = COMP-1",
                "partition_id = slappart0",
                "server_url = https://master.example/",
                "software_release_url = https://sr.example/software.cfg",
                "key_file = /certs/slappart0.key",
                "cert_file = /certs/slappart0.crt",
            ]
        );
        assert_eq!(section(&text, "storage-configuration"), ["storage-home = "]);
        assert_eq!(
            section(&text, "network-information"),
            ["global-ipv4-network = "]
        );
    }

    #[test]
    fn lists_have_a_line_for_each_directory() {
        let directories = ["/opt/shared".to_owned(), "/srv/shared".to_owned()];
        let text = ProfileTail {
            shared_part_list: &directories,
            ..tail()
        }
        .append_to("")
        .unwrap();
        assert!(
            text.contains("shared-part-list =\n  /opt/shared\n  /srv/shared\nbuild-time"),
            "{text}"
        );
    }

    #[test]
    fn a_master_without_certificates_leaves_the_keys_empty() {
        let text = ProfileTail {
            key_file: None,
            cert_file: None,
            ..tail()
        }
        .append_to("")
        .unwrap();
        assert!(text.contains("\nkey-file = \ncert-file = \n"), "{text}");
    }

    #[test]
    fn values_cannot_add_lines() {
        let url = "http://x/\n[buildout]\noffline = false";
        let error = ProfileTail {
            software_release_url: url,
            ..tail()
        }
        .append_to("")
        .unwrap_err();
        assert_eq!(
            error,
            UnprintableValue {
                key: "software-release-url",
                value: url.to_owned()
            }
        );
        let lists = ["/a\r/b".to_owned()];
        let error = ProfileTail {
            build_time_part_list: &lists,
            ..tail()
        }
        .append_to("")
        .unwrap_err();
        assert_eq!(error.key, "build-time-part-list");
    }
}
