//! Values that cannot be meant, alone or together.

use slapos_config::MissingParameters;
use slapos_fs::check_file_name;

use super::{Settings, SettingsError};
use crate::names::{check_interface, check_user};

impl Settings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        check_file_name(&self.partition_base_name)?;
        if self.alter_network && self.interface_name.is_none() {
            return Err(MissingParameters(vec!["interface_name"]).into());
        }
        self.check_paths()?;
        self.check_names()?;
        self.check_differences()
    }

    /// Homes of users and what the master is told are absolute.
    fn check_paths(&self) -> Result<(), SettingsError> {
        let storage = self.instance_storage_home.as_ref();
        let paths = [
            ("software_root", Some(&self.software_root)),
            ("instance_root", Some(&self.instance_root)),
            ("instance_storage_home", storage),
        ];
        let mut relative = paths
            .into_iter()
            .filter_map(|(key, path)| Some((key, path?)))
            .filter(|(_, path)| !path.is_absolute());
        relative.next().map_or(Ok(()), |(key, path)| {
            let value = path.clone();
            Err(SettingsError::Relative { key, value })
        })
    }

    fn check_names(&self) -> Result<(), SettingsError> {
        let highest = self.partition_amount.saturating_sub(1);
        let (user, software) = (&self.user_base_name, &self.software_user);
        let wrong = |key, value: &String| {
            let value = value.clone();
            move |problem| SettingsError::SystemName {
                key,
                value,
                problem,
            }
        };
        if self.alter_user {
            check_user(&format!("{user}{highest}")).map_err(wrong("user_base_name", user))?;
            check_user(software).map_err(wrong("software_user", software))?;
        }
        for (key, base, used) in self.tunnels() {
            if used {
                check_interface(&format!("{base}{highest}")).map_err(wrong(key, base))?;
            }
        }
        Ok(())
    }

    /// One name for two things would make one of them both.
    fn check_differences(&self) -> Result<(), SettingsError> {
        let [(first, tap, taps), (second, tun, tuns)] = self.tunnels();
        if taps && tuns && tap == tun {
            let name = format!("{tap}0");
            return Err(SettingsError::SameName {
                first,
                second,
                name,
            });
        }
        let number = self.software_user.strip_prefix(&self.user_base_name);
        let number: Option<usize> = number.and_then(|number| number.parse().ok());
        if self.alter_user && number.is_some_and(|number| number < self.partition_amount) {
            return Err(SettingsError::SameName {
                first: "software_user",
                second: "user_base_name",
                name: self.software_user.clone(),
            });
        }
        Ok(())
    }

    /// Parameters that name taps and tuns, their values, and whether any are made.
    fn tunnels(&self) -> [(&'static str, &String, bool); 2] {
        let alter = self.alter_network;
        [
            (
                "tap_base_name",
                &self.tap_base_name,
                alter && self.create_tap,
            ),
            (
                "tun_base_name",
                &self.tun_base_name,
                alter && self.create_tun,
            ),
        ]
    }
}
