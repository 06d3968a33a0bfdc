//! How a client says that it acts for a partition.

/// The scheme of the `Authorization` header.
const SCHEME: &str = "X-SlapPartition";

/// The partition that a client acts for.
///
/// ```
/// use slap_proto::authorization::PartitionIdentity;
///
/// let header = "X-SlapPartition computer_id=COMP-1, computer_partition_id=slappart0";
/// let identity = PartitionIdentity::parse(header)?.ok_or("another scheme")?;
/// assert_eq!((identity.computer_id.as_str(), identity.partition_id.as_str()), ("COMP-1", "slappart0"));
/// assert_eq!(identity.to_header(), header);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PartitionIdentity {
    /// Reference of its computer.
    pub computer_id: String,
    /// Reference of the partition.
    pub partition_id: String,
}

/// A header of our scheme that names no partition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the header Authorization: {SCHEME} must name computer_id and computer_partition_id")]
pub struct MalformedAuthorization;

impl PartitionIdentity {
    /// The value of the `Authorization` header.
    pub fn to_header(&self) -> String {
        let Self {
            computer_id,
            partition_id,
        } = self;
        format!("{SCHEME} computer_id={computer_id}, computer_partition_id={partition_id}")
    }

    /// From the value of an `Authorization` header; `None` for other schemes.
    ///
    /// # Errors
    /// The scheme is ours and a part is missing.
    pub fn parse(header: &str) -> Result<Option<Self>, MalformedAuthorization> {
        let Some((scheme, rest)) = header.trim().split_once(' ') else {
            return if header.trim() == SCHEME {
                Err(MalformedAuthorization)
            } else {
                Ok(None)
            };
        };
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Ok(None);
        }
        let part = |name: &str| {
            rest.split(',')
                .filter_map(|part| part.trim().split_once('='))
                .find(|(key, value)| *key == name && !value.is_empty())
                .map(|(_, value)| value.to_owned())
        };
        match (part("computer_id"), part("computer_partition_id")) {
            (Some(computer_id), Some(partition_id)) => Ok(Some(Self {
                computer_id,
                partition_id,
            })),
            _ => Err(MalformedAuthorization),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let identity = PartitionIdentity {
            computer_id: "COMP-1".to_owned(),
            partition_id: "slappart0".to_owned(),
        };
        let header = identity.to_header();
        assert_eq!(
            header,
            "X-SlapPartition computer_id=COMP-1, computer_partition_id=slappart0"
        );
        assert_eq!(PartitionIdentity::parse(&header), Ok(Some(identity)));
    }

    #[test]
    fn another_scheme_is_none_and_half_of_ours_is_an_error() {
        assert_eq!(PartitionIdentity::parse("Basic YTpi"), Ok(None));
        assert_eq!(PartitionIdentity::parse(""), Ok(None));
        for header in [
            "X-SlapPartition",
            "X-SlapPartition computer_id=A",
            "X-SlapPartition computer_id=, computer_partition_id=B",
        ] {
            assert_eq!(
                PartitionIdentity::parse(header),
                Err(MalformedAuthorization),
                "{header:?}"
            );
        }
    }
}
