//! From what was chosen to what is in force.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::{
    AccountMode, ConfirmPolicy, Confirmation, DeliveryTracking, EffectiveOptions, OptionDescription,
    OptionKey, OptionKind, OptionSet, Percent, Reconcile, ShipOffset, StockPolicy,
};
use crate::channel::{Capabilities, Capability, Channel, ChannelInfo, HandOver, Notify, OptionCode};
use crate::error::{Error, ErrorKind};

/// What is known about an account beside its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AccountFacts {
    /// Whether a fulfilment centre is attached.
    pub has_centre: bool,
    /// Whether the merchant has authorised the application at the channel (HM-2).
    pub authorised: bool,
}

impl AccountFacts {
    /// An authorised account without a centre.
    pub fn authorised() -> Self {
        Self { has_centre: false, authorised: true }
    }

    /// With a fulfilment centre.
    pub fn with_centre(mut self) -> Self {
        self.has_centre = true;
        self
    }
}

/// One option that can't be honoured: which, where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("option {option} ({rule}) on {channel}: {reason}")]
pub struct OptionError {
    /// The option's key.
    pub option: String,
    /// Its rule in the specification.
    pub rule: &'static str,
    /// The channel's name.
    pub channel: String,
    /// Why not.
    pub reason: String,
}

/// All options that can't be honoured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionErrors(pub Vec<OptionError>);

impl fmt::Display for OptionErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for OptionErrors {}

impl From<OptionErrors> for Error {
    fn from(errors: OptionErrors) -> Self {
        Self::new(ErrorKind::Configuration).with_message(errors)
    }
}

/// What decides which options a channel offers.
#[derive(Clone, Copy)]
pub(super) struct Offer<'a> {
    info: &'a ChannelInfo,
    capabilities: Capabilities,
    /// The hand-over methods among which the merchant chooses.
    pub(super) methods: &'a [HandOver],
    /// Whether credentials end on a date that a person may have to enter.
    dated: bool,
}

impl<'a> Offer<'a> {
    pub(super) fn of(channel: &'a dyn Channel) -> Self {
        let info = channel.info();
        let renewed = channel.credentials().is_some_and(|c| c.parts().iter().any(|part| part.with_expiry));
        Self {
            info,
            capabilities: Capabilities::of(channel),
            methods: channel.dispatch().map_or(&[][..], |d| d.hand_over_methods()),
            dated: renewed || info.credential_life.is_some(),
        }
    }
}

/// Why an option is not offered by this channel to this account; `None`: it is.
pub(super) fn hidden_because(key: OptionKey, offer: Offer<'_>, facts: AccountFacts) -> Option<&'static str> {
    let Offer { info, capabilities, methods, dated } = offer;
    let lacks = |capability| !capabilities.has(capability);
    match key {
        OptionKey::Confirmation if lacks(Capability::ConfirmOrders) => {
            Some("the channel has no order confirmation")
        }
        OptionKey::FulfilmentInstruction | OptionKey::StockSync | OptionKey::Reconcile
            if !facts.has_centre =>
        {
            Some("the account has no fulfilment centre")
        }
        OptionKey::StockSync | OptionKey::Reconcile if lacks(Capability::UpdateStock) => {
            Some("the channel takes no stock quantities")
        }
        OptionKey::ShipOffset | OptionKey::Holidays if lacks(Capability::SetShipDate) => {
            Some("the channel takes no expected ship date")
        }
        OptionKey::NotifyBuyer if lacks(Capability::NotifyBuyer) => {
            Some("the channel does not let the seller decide about its mails")
        }
        OptionKey::CredentialsEnd if !dated => {
            Some("the channel's credentials do not end on a date that is entered by hand")
        }
        OptionKey::OptionCodeAsSku if info.option_code == OptionCode::Plain => {
            Some("the channel has no option code of its own")
        }
        OptionKey::HandOver if methods.is_empty() => {
            Some("the channel does not ask how parcels are handed over")
        }
        OptionKey::HandOver if !facts.authorised => Some("the account is not authorised yet"),
        _ => None,
    }
}

impl EffectiveOptions {
    /// Checks the choices against the channel and the account.
    ///
    /// # Errors
    /// Every option that can't be honoured, each with the channel and the reason; nothing is silently left out.
    ///
    /// ```
    /// # use sales_channels::options::{AccountFacts, EffectiveOptions, OptionSet};
    /// # fn with(channel: &dyn sales_channels::Channel) {
    /// let chosen = OptionSet { ship_offset: Some(4), ..OptionSet::default() };
    /// let errors = EffectiveOptions::check(&chosen, channel, AccountFacts::authorised()).unwrap_err();
    /// println!("{errors}"); // option ship_offset (SD) on …: D+4 is outside D+0 to D+3
    /// # }
    /// ```
    pub fn check(set: &OptionSet, channel: &dyn Channel, facts: AccountFacts) -> Result<Self, OptionErrors> {
        let info = channel.info();
        let offer = Offer::of(channel);
        let (capabilities, methods) = (offer.capabilities, offer.methods);
        let mut errors = Errors { channel: info.name.en, found: Vec::new() };

        for key in OptionKey::ALL {
            if key.is_chosen(set)
                && let Some(reason) = hidden_because(*key, offer, facts)
            {
                errors.add(*key, reason.to_owned());
            }
        }

        let mode = set.mode.unwrap_or_default();
        let statistics_only = mode == AccountMode::StatisticsOnly;
        let shown = |key| hidden_because(key, offer, facts).is_none();

        let zone = match set.schedule_zone.as_deref().map(str::parse::<Tz>) {
            None => chrono_tz::Asia::Seoul,
            Some(Ok(zone)) => zone,
            Some(Err(_)) => {
                errors.add(OptionKey::ScheduleZone, "is not the name of an IANA zone".to_owned());
                chrono_tz::Asia::Seoul
            }
        };
        let max_orders =
            errors.range(OptionKey::MaxOrdersPerCycle, set.max_orders_per_cycle, 1..=1_000_000, 1000);
        let lookback = errors.range(OptionKey::Lookback, set.lookback_minutes, 0..=1440, 15);

        let confirm = match set.confirmation.unwrap_or_default() {
            _ if !capabilities.has(Capability::ConfirmOrders) => ConfirmPolicy::NotNeeded,
            Confirmation::FullAuto => ConfirmPolicy::FullAuto,
            Confirmation::Manual => ConfirmPolicy::Manual,
        };
        let instruct = set.fulfilment_instruction.unwrap_or(false);
        if instruct && statistics_only {
            errors.add(OptionKey::FulfilmentInstruction, MODE.to_owned());
        }
        let stock = errors.stock(set, statistics_only);

        let tracking = match (set.delivery_tracking, statistics_only) {
            (Some(DeliveryTracking::ProcessedHere), true) => {
                errors.add(
                    OptionKey::DeliveryTracking,
                    "in statistics-only mode nothing is processed here: only all_collected is left (AM-3)"
                        .to_owned(),
                );
                DeliveryTracking::AllCollected
            }
            (_, true) => DeliveryTracking::AllCollected,
            (chosen, false) => chosen.unwrap_or_default(),
        };

        let ship_offset = set.ship_offset.and_then(|days| {
            let offset = ShipOffset::new(days);
            if offset.is_none() {
                errors.add(OptionKey::ShipOffset, format!("D+{days} is outside D+0 to D+3"));
            } else if statistics_only {
                errors.add(OptionKey::ShipOffset, MODE.to_owned());
            }
            offset
        });
        let wanted = if set.notify_buyer == Some(true) { Notify::Buyer } else { Notify::Nobody };
        let notify = shown(OptionKey::NotifyBuyer).then_some(wanted);
        if let Some(method) = set.hand_over
            && !methods.is_empty()
            && !methods.contains(&method)
        {
            errors.add(OptionKey::HandOver, "the channel does not offer this method".to_owned());
        }
        let sku_from_channel = info.option_code == OptionCode::Plain || set.option_code_as_sku == Some(true);
        let settings = errors.settings(&info.options, &set.channel);

        if !errors.found.is_empty() {
            return Err(OptionErrors(errors.found));
        }
        Ok(Self {
            order_sync: set.order_sync.unwrap_or(true),
            zone,
            channel_zone: info.zone,
            max_orders_per_cycle: u32::try_from(max_orders).unwrap_or(1000),
            lookback: TimeDelta::minutes(lookback),
            confirm,
            instruct,
            centre: facts.has_centre,
            stock,
            mode,
            tracking,
            ship_offset,
            holidays: set.holidays.iter().flatten().copied().collect(),
            notify,
            credentials_end: set.credentials_end,
            sku_from_channel,
            hand_over: set.hand_over,
            asks_hand_over: !methods.is_empty(),
            settings: Arc::new(settings),
        })
    }
}

const MODE: &str = "the account is in statistics-only mode (AM-2)";

struct Errors<'a> {
    channel: &'a str,
    found: Vec<OptionError>,
}

impl Errors<'_> {
    fn add(&mut self, key: OptionKey, reason: String) {
        self.push(key.as_str().to_owned(), key.rule(), reason);
    }

    fn push(&mut self, option: String, rule: &'static str, reason: String) {
        self.found.push(OptionError { option, rule, channel: self.channel.to_owned(), reason });
    }

    fn range(
        &mut self,
        key: OptionKey,
        chosen: Option<i64>,
        good: std::ops::RangeInclusive<i64>,
        default: i64,
    ) -> i64 {
        let value = chosen.unwrap_or(default);
        if !good.contains(&value) {
            self.add(key, format!("{value} is outside {} to {}", good.start(), good.end()));
        }
        value
    }

    fn stock(&mut self, set: &OptionSet, statistics_only: bool) -> Option<StockPolicy> {
        let reconcile = set.reconcile.unwrap_or_default();
        let Some(chosen) = set.stock_sync else {
            if reconcile != Reconcile::Off {
                self.add(OptionKey::Reconcile, "needs stock_sync to be on".to_owned());
            }
            return None;
        };
        if statistics_only {
            self.add(OptionKey::StockSync, MODE.to_owned());
        }
        let share = Percent::new(chosen.share_percent);
        if share.is_none() {
            self.add(
                OptionKey::StockSync,
                format!("a share of {} % is outside 1 to 100", chosen.share_percent),
            );
        }
        let reserve = u32::try_from(chosen.reserve).ok();
        if reserve.is_none() {
            self.add(OptionKey::StockSync, format!("a reserve of {} pieces is not possible", chosen.reserve));
        }
        Some(StockPolicy { share: share?, reserve: reserve?, reconcile })
    }

    fn settings(
        &mut self,
        known: &[OptionDescription],
        chosen: &BTreeMap<String, serde_json::Value>,
    ) -> BTreeMap<String, serde_json::Value> {
        let mut settings: BTreeMap<_, _> =
            known.iter().map(|option| (option.key.to_owned(), option.default.clone())).collect();
        for (key, value) in chosen {
            let fault = match known.iter().find(|option| option.key == key) {
                None => Some("the channel has no such option".to_owned()),
                Some(option) => unfit(&option.kind, value),
            };
            match fault {
                Some(reason) => self.push(key.clone(), "channel option", reason),
                None => drop(settings.insert(key.clone(), value.clone())),
            }
        }
        settings
    }
}

/// Why a value does not fit an option of the channel's own.
fn unfit(kind: &OptionKind, value: &serde_json::Value) -> Option<String> {
    let wrong = |expected: String| Some(format!("{value} is not {expected}"));
    match kind {
        OptionKind::Switch => (!value.is_boolean()).then(|| format!("{value} is not true or false")),
        OptionKind::Integer { min, max } => match value.as_i64() {
            Some(n) if (*min..=*max).contains(&n) => None,
            _ => wrong(format!("a whole number from {min} to {max}")),
        },
        OptionKind::Choice { values } => match value.as_str() {
            Some(text) if values.iter().any(|v| v.value == text) => None,
            _ => wrong("one of the choices".to_owned()),
        },
        OptionKind::Text | OptionKind::Zone => (!value.is_string()).then(|| format!("{value} is not a text")),
        OptionKind::Date | OptionKind::Dates | OptionKind::Time | OptionKind::StockShare => {
            wrong("of a kind that a channel's own option may have".to_owned())
        }
    }
}
