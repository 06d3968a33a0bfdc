//! A computer, as its node speaks of it.

use std::time::Duration;

use slap_proto::calls::{self, Call};
use slap_proto::documents::{self, ComputerConfiguration};
use slap_proto::marshal::Value;

use crate::condition::{Condition, EntityTag, Refreshed};
use crate::connection::{Slap, document, unexpected};
use crate::error::ClientError;
use crate::partition::Certificate;

/// A computer of a master.
///
/// ```
/// # let master = slap_testing::Master::start()?;
/// let computer = master.slap().register_computer("COMP-1");
/// for partition in computer.full_information()?.computer_partition_list {
///     println!("{} is free: {}", partition.partition_id, partition.is_free());
/// }
/// computer.bang("the machine was moved")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "it asks and tells the master nothing by itself"]
pub struct Computer {
    slap: Slap,
    computer_id: String,
}

impl Slap {
    /// The computer of this reference; nothing is asked yet.
    pub fn register_computer(&self, computer_id: impl Into<String>) -> Computer {
        Computer {
            slap: self.clone(),
            computer_id: computer_id.into(),
        }
    }
}

impl Computer {
    /// The computer's reference.
    pub fn id(&self) -> &str {
        &self.computer_id
    }

    /// Its releases and all of its partitions. Old masters are asked by the older call.
    ///
    /// # Errors
    /// The call failed, or the answer is no computer.
    pub fn full_information(&self) -> Result<documents::Computer, ClientError> {
        let answer = self.ask(Condition::default())?;
        // Without a condition there is an answer.
        let nothing = || unexpected(calls::GetFullComputerInformation::ENDPOINT, "computer");
        answer.value.ok_or_else(nothing)
    }

    /// As [`full_information`](Self::full_information), unless the master would answer the same as
    /// under the tag `known`: then it waits for a change as long as `wait` says, in whole seconds.
    /// That is beyond the time that a call may take otherwise.
    ///
    /// Masters that do not know of tags or of waiting answer at once. slapproxy does wait, where it
    /// is not told otherwise.
    ///
    /// # Errors
    /// The call failed, or the answer is no computer.
    pub fn full_information_unless(
        &self,
        known: Option<&EntityTag>,
        wait: Duration,
    ) -> Result<Refreshed<documents::Computer>, ClientError> {
        let known = known.cloned();
        self.ask(Condition { known, wait })
    }

    fn ask(&self, condition: Condition) -> Result<Refreshed<documents::Computer>, ClientError> {
        let computer_id = self.computer_id.clone();
        let call = calls::GetFullComputerInformation {
            computer_id: computer_id.clone(),
        };
        match self.refresh(&call, condition) {
            Err(ClientError::NotFound { message, endpoint }) => self
                .refresh(
                    &calls::GetComputerInformation { computer_id },
                    Condition::default(),
                )
                // Neither is there: the first answer says why.
                .map_err(|error| match error {
                    ClientError::NotFound { .. } => ClientError::NotFound { message, endpoint },
                    other => other,
                }),
            other => other,
        }
    }

    /// Makes a call that is answered by a computer.
    fn refresh<C: Call>(
        &self,
        call: &C,
        condition: Condition,
    ) -> Result<Refreshed<documents::Computer>, ClientError> {
        let answer = self.slap.call_unless(call, None, condition)?;
        answer.try_map(|answer| {
            documents::Computer::from_document(&answer).map_err(document(C::ENDPOINT))
        })
    }

    /// Tells the master how the computer is made: its partitions and addresses.
    ///
    /// ```
    /// use slap_client::proto::documents::{ComputerConfiguration, PartitionConfiguration};
    ///
    /// # let master = slap_testing::Master::start()?;
    /// let partition = |number| PartitionConfiguration {
    ///     reference: format!("slappart{number}"),
    ///     ..PartitionConfiguration::default()
    /// };
    /// let configuration = ComputerConfiguration {
    ///     reference: "COMP-2".to_owned(),
    ///     partition_list: (0..10).map(partition).collect(),
    ///     ..ComputerConfiguration::default()
    /// };
    /// let computer = master.slap().register_computer("COMP-2");
    /// computer.configure(&configuration)?;
    /// assert_eq!(computer.full_information()?.computer_partition_list.len(), 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The call failed.
    pub fn configure(&self, configuration: &ComputerConfiguration) -> Result<(), ClientError> {
        let call = calls::LoadComputerConfigurationFromXml {
            configuration: configuration.clone(),
        };
        self.slap.call(&call, None).map(drop)
    }

    /// Sends a usage report, a journal document.
    ///
    /// # Errors
    /// The call failed.
    pub fn report_usage(&self, journal: &str) -> Result<(), ClientError> {
        let (computer_id, use_string) = (self.computer_id.clone(), journal.to_owned());
        self.slap
            .call(
                &calls::UseComputer {
                    computer_id,
                    use_string,
                },
                None,
            )
            .map(drop)
    }

    /// Has every instance of the computer processed again.
    ///
    /// # Errors
    /// The call failed.
    pub fn bang(&self, message: &str) -> Result<(), ClientError> {
        let (computer_id, message) = (self.computer_id.clone(), Some(message.to_owned()));
        self.slap
            .call(
                &calls::ComputerBang {
                    computer_id,
                    message,
                },
                None,
            )
            .map(drop)
    }

    /// What the computer reported last, as the master tells it.
    ///
    /// # Errors
    /// The call failed; masters of slapos.core 1.26 and before do not have it.
    pub fn status(&self) -> Result<Value, ClientError> {
        let call = calls::GetComputerStatus {
            computer_id: self.computer_id.clone(),
        };
        self.slap.value(&call, None)
    }

    /// A new client certificate for the computer.
    ///
    /// # Errors
    /// The call failed, or the answer holds none.
    pub fn generate_certificate(&self) -> Result<Certificate, ClientError> {
        let call = calls::GenerateComputerCertificate {
            computer_id: self.computer_id.clone(),
        };
        let value = self.slap.value(&call, None)?;
        Certificate::from_value(&value)
            .ok_or_else(|| unexpected("generateComputerCertificate", "certificate and key"))
    }

    /// Makes the computer's certificate invalid.
    ///
    /// # Errors
    /// The call failed.
    pub fn revoke_certificate(&self) -> Result<(), ClientError> {
        let call = calls::RevokeComputerCertificate {
            computer_id: self.computer_id.clone(),
        };
        self.slap.call(&call, None).map(drop)
    }
}
