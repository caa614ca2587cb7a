//! Reading how a pod finds out the addresses of host names.

use std::net::IpAddr;

use toml::Spanned;

use super::limits::MAX_DNS_SEARCH_LENGTH;
use super::section::Section;
use super::text;
use crate::model::value::ValueError;

/// An address, as IPv4 where it means one of those.
pub(super) fn read_address(text: &str) -> Result<IpAddr, ValueError> {
    let address: Result<IpAddr, _> = text.parse();
    address
        .map(|address| address.to_canonical())
        .map_err(|_| ValueError::new("address", text, "is not an IPv4 or IPv6 address"))
}

/// Reads the name servers of a pod. One that is there twice would only be asked twice.
pub(super) fn read_servers(pod: &Section<'_>) -> Vec<IpAddr> {
    let texts = pod.texts("dns").unwrap_or_default();
    let servers = texts.into_iter().filter_map(|text| {
        let address = read_address(text.get_ref()).ok()?;
        Some(Spanned::new(text.span(), address.to_string().into()))
    });
    pod.report().unique(servers, |server| format!("name server \"{server}\" is there twice"));
    pod.list("dns", read_address)
}

/// Reads the search domains of a pod.
pub(super) fn read_search(pod: &Section<'_>) -> Vec<String> {
    let domains: Vec<String> =
        pod.list("dns_search", |domain| text::domain(domain).map(|()| domain.to_owned()));
    let length = domains.join(" ").len();
    if length > MAX_DNS_SEARCH_LENGTH {
        let message = format!(
            "dns_search has {length} characters with its spaces, at most {MAX_DNS_SEARCH_LENGTH} are allowed"
        );
        pod.error("dns_search", message);
    }
    domains
}
