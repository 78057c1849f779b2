//! The six markets (sheet section 1).

use chrono::{DateTime, FixedOffset, Utc};
use serde::Deserialize;

/// A market: a country with its host, currency and zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Country {
    /// Singapore.
    #[default]
    Sg,
    /// Thailand.
    Th,
    /// Malaysia.
    My,
    /// Vietnam.
    Vn,
    /// The Philippines.
    Ph,
    /// Indonesia.
    Id,
}

impl Country {
    const ALL: [Self; 6] = [Self::Sg, Self::Th, Self::My, Self::Vn, Self::Ph, Self::Id];

    /// Its code in small letters, for example `sg`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Sg => "sg",
            Self::Th => "th",
            Self::My => "my",
            Self::Vn => "vn",
            Self::Ph => "ph",
            Self::Id => "id",
        }
    }

    fn host(self) -> &'static str {
        match self {
            Self::Sg => "api.lazada.sg",
            Self::Th => "api.lazada.co.th",
            Self::My => "api.lazada.com.my",
            Self::Vn => "api.lazada.vn",
            Self::Ph => "api.lazada.com.ph",
            Self::Id => "api.lazada.co.id",
        }
    }

    /// The market that a `Host` header names; none of ours is fine, too.
    pub(super) fn of_host(host: &str) -> Option<Self> {
        let name = host.split(':').next().unwrap_or_default();
        Self::ALL.into_iter().find(|country| country.host() == name)
    }

    pub(super) fn currency(self) -> &'static str {
        match self {
            Self::Sg => "SGD",
            Self::Th => "THB",
            Self::My => "MYR",
            Self::Vn => "VND",
            Self::Ph => "PHP",
            Self::Id => "IDR",
        }
    }

    /// The carrier that Lazada allots.
    pub(super) fn carrier(self) -> &'static str {
        match self {
            Self::Sg => "LEX SG",
            Self::Th => "Flash Express",
            Self::My => "LEX MY",
            Self::Vn => "LEX VN",
            Self::Ph => "LEX PH",
            Self::Id => "LEX ID",
        }
    }

    fn local(self, at: DateTime<Utc>) -> DateTime<FixedOffset> {
        let hours = if matches!(self, Self::Th | Self::Vn | Self::Id) { 7 } else { 8 };
        match FixedOffset::east_opt(hours * 3600) {
            Some(zone) => at.with_timezone(&zone),
            None => at.fixed_offset(),
        }
    }

    /// `2018-02-09T22:44:30+08:00`, as the list of orders has it.
    pub(super) fn iso(self, at: DateTime<Utc>) -> String {
        self.local(at).format("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// `2018-02-09 22:44:30 +0800`, as one order and the order items have it.
    pub(super) fn spaced(self, at: DateTime<Utc>) -> String {
        self.local(at).format("%Y-%m-%d %H:%M:%S %z").to_string()
    }
}

/// The country's name in addresses; the code when it is none of the six.
pub(super) fn name_of(code: &str) -> &str {
    match code {
        "SG" => "Singapore",
        "TH" => "Thailand",
        "MY" => "Malaysia",
        "VN" => "Vietnam",
        "PH" => "Philippines",
        "ID" => "Indonesia",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_times_are_those_of_the_markets() {
        assert_eq!(Country::of_host("api.lazada.co.th:443"), Some(Country::Th));
        assert_eq!(Country::of_host("127.0.0.1:9000"), None);
        let at = DateTime::from_timestamp(1_518_187_470, 0).unwrap();
        assert_eq!(Country::Sg.iso(at), "2018-02-09T22:44:30+08:00");
        assert_eq!(Country::Vn.spaced(at), "2018-02-09 21:44:30 +0700");
    }
}
