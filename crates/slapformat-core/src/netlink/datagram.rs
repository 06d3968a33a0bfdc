//! Taking the kernel's datagrams apart. Kernels and their drivers say more every year than a
//! library knows: what is not ours to understand must not stand in the way.

use std::io;

use netlink_packet_core::{
    NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload, NlaBuffer, NlasIterator,
    Parseable, ParseableParametrized,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkHeader, LinkInfo, LinkMessage};

/// Types of messages that tell an interface and a route (`linux/rtnetlink.h`).
const NEW_LINK: u16 = 16;
const NEW_ROUTE: u16 = 24;
/// Length of what comes before the attributes of an interface (`struct ifinfomsg`).
const LINK_HEADER: usize = 16;
/// The attribute that says what an interface is, and that in it which names the kind
/// (`linux/if_link.h`).
const LINK_INFO: u16 = 18;
const INFO_KIND: u16 = 1;

/// The messages of a datagram.
pub(super) fn parse(mut bytes: &[u8]) -> io::Result<Vec<NetlinkMessage<RouteNetlinkMessage>>> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let buffer = NetlinkBuffer::new_checked(bytes).map_err(io::Error::other)?;
        // Messages begin at multiples of four bytes.
        let length = (buffer.length() as usize).next_multiple_of(4).max(4);
        match (NetlinkMessage::deserialize(bytes), buffer.message_type()) {
            (Ok(message), _) => messages.push(message),
            (Err(error), NEW_LINK) => {
                log::debug!("an interface: {error}");
                messages.extend(readable_part(&buffer));
            }
            // Other programs make routes of all kinds; those that cannot be read are not ours.
            (Err(error), NEW_ROUTE) => log::debug!("a route: {error}"),
            (Err(error), _) => return Err(io::Error::other(error)),
        }
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(messages)
}

/// An interface of which some attribute cannot be read, without those attributes.
fn readable_part(buffer: &NetlinkBuffer<&[u8]>) -> Option<NetlinkMessage<RouteNetlinkMessage>> {
    let payload = buffer.payload();
    let mut link = LinkMessage::default();
    link.header = LinkHeader::parse(payload).ok()?;
    let attributes = NlasIterator::new(payload.get(LINK_HEADER..)?).map_while(Result::ok);
    link.attributes = attributes
        .filter_map(|attribute| readable(&attribute, &link.header))
        .collect();
    let mut header = NetlinkHeader::default();
    header.sequence_number = buffer.sequence_number();
    header.flags = buffer.flags();
    let payload = NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link));
    Some(NetlinkMessage::new(header, payload))
}

fn readable(attribute: &NlaBuffer<&[u8]>, header: &LinkHeader) -> Option<LinkAttribute> {
    let read = LinkAttribute::parse_with_param(attribute, header.interface_family);
    if attribute.kind() != LINK_INFO {
        return read.ok();
    }
    read.ok().or_else(|| {
        let mut infos = NlasIterator::new(attribute.value()).map_while(Result::ok);
        let kind = infos.find(|info| info.kind() == INFO_KIND)?;
        let kind = InfoKind::parse(&kind).ok()?;
        Some(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind)]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::read;
    use crate::network::LinkKind;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len() + 4).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend_from_slice(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// A message of the kernel about an interface of number 7 that is up.
    fn message(kind: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut payload = vec![0, 0, 1, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        payload.extend(attributes.concat());
        let length = u32::try_from(payload.len() + 16).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([2, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(payload);
        bytes
    }

    fn links(datagram: &[u8]) -> Vec<crate::network::Link> {
        let messages = parse(datagram).unwrap();
        let links = messages.iter().filter_map(|message| {
            assert_eq!(message.header.sequence_number, 9);
            match &message.payload {
                NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => {
                    read::link(link)
                }
                _ => None,
            }
        });
        links.collect()
    }

    #[test]
    fn an_interface_that_cannot_be_read_in_full_is_known_by_name_and_kind() {
        let name = attribute(3, b"br0\0");
        // An MTU of one byte, and a forward delay of one byte among what a bridge says of itself.
        let (mtu, delay) = (attribute(4, &[1]), attribute(1, &[1]));
        let info = [attribute(1, b"bridge\0"), attribute(2, &delay)].concat();
        let broken = message(NEW_LINK, &[name, mtu, attribute(LINK_INFO, &info)]);
        assert!(NetlinkMessage::<RouteNetlinkMessage>::deserialize(&broken).is_err());
        let other = message(NEW_LINK, &[attribute(3, b"eth0\0")]);
        let found = links(&[broken, other].concat());
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name.as_str(), found[0].index), ("br0", 7));
        assert_eq!(found[0].kind, LinkKind::Bridge);
        assert!(found[0].up);
        assert_eq!(found[1].name, "eth0");
    }

    #[test]
    fn half_a_message_is_an_error() {
        let whole = message(NEW_LINK, &[attribute(3, b"eth0\0")]);
        for length in 1..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "{length}");
        }
    }
}
