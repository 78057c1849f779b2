//! The merchant's choices as they were made.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{AccountMode, Confirmation, DeliveryTracking, Reconcile, StockShare};
use crate::channel::HandOver;

/// The merchant's choices. `None`: not chosen, the default applies where the channel has the option. May be wrong:
/// [`EffectiveOptions::check`](super::EffectiveOptions::check) says what is.
///
/// ```
/// use sales_channels::options::{Confirmation, OptionSet};
///
/// let chosen: OptionSet = serde_json::from_str(r#"{"confirmation": "manual", "ship_offset": 1}"#)?;
/// assert_eq!(chosen.confirmation, Some(Confirmation::Manual));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptionSet {
    /// Automatic order sync (OS-1). Default: on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_sync: Option<bool>,
    /// Zone of the schedule's days (OS-2), an IANA name. Default: Asia/Seoul.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_zone: Option<String>,
    /// Most orders that one cycle links (OS-4), 1 to 1,000,000. Default: 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_orders_per_cycle: Option<i64>,
    /// By how much windows overlap (OS-7), in minutes, 0 to 1,440. Default: 15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookback_minutes: Option<i64>,
    /// Who confirms (OC). Default: full auto.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// Automatic fulfilment instruction (FI). Default: off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fulfilment_instruction: Option<bool>,
    /// Automatic stock sync (SS); absent: off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock_sync: Option<StockShare>,
    /// Daily comparison of quantities (SS-11). Default: off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<Reconcile>,
    /// What the account is for (AM). Default: processing and statistics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<AccountMode>,
    /// Which orders are followed (DT). Default: those processed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_tracking: Option<DeliveryTracking>,
    /// Expected ship date, D+0 to D+3 (SD). Default: not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ship_offset: Option<i64>,
    /// Days that don't count as working days, beside Saturdays and Sundays (SD-2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holidays: Option<Vec<NaiveDate>>,
    /// Whether the channel mails the buyer (NB). Default: off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_buyer: Option<bool>,
    /// When the credentials end (KE-1), where the channel does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_end: Option<DateTime<Utc>>,
    /// Whether the option code counts as SKU for fulfilment (RC). Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option_code_as_sku: Option<bool>,
    /// How parcels reach the carrier (HM). Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hand_over: Option<HandOver>,
    /// Options that the channel describes itself, by key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub channel: BTreeMap<String, serde_json::Value>,
}

macro_rules! keys {
    ($($(#[$doc:meta])* $variant:ident = $field:ident, $rule:literal;)*) => {
        /// Names an option: its field in [`OptionSet`] and its rule family in the specification.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum OptionKey {
            $($(#[$doc])* $variant,)*
        }

        impl OptionKey {
            /// All of them, in the order of a settings screen.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its field name in [`OptionSet`], also its key in JSON.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($field),)*
                }
            }

            /// Its rule in the specification.
            pub fn rule(self) -> &'static str {
                match self {
                    $(Self::$variant => $rule,)*
                }
            }

            /// Whether the merchant chose a value.
            pub(crate) fn is_chosen(self, set: &OptionSet) -> bool {
                match self {
                    $(Self::$variant => set.$field.is_some(),)*
                }
            }
        }
    };
}

keys! {
    /// Automatic order sync.
    OrderSync = order_sync, "OS";
    /// Zone of the schedule's days.
    ScheduleZone = schedule_zone, "OS-2";
    /// Most orders that one cycle links.
    MaxOrdersPerCycle = max_orders_per_cycle, "OS-4";
    /// By how much windows overlap.
    Lookback = lookback_minutes, "OS-7";
    /// Who confirms.
    Confirmation = confirmation, "OC";
    /// Automatic fulfilment instruction.
    FulfilmentInstruction = fulfilment_instruction, "FI";
    /// Automatic stock sync.
    StockSync = stock_sync, "SS";
    /// Daily comparison of quantities.
    Reconcile = reconcile, "SS-11";
    /// What the account is for.
    Mode = mode, "AM";
    /// Which orders are followed.
    DeliveryTracking = delivery_tracking, "DT";
    /// Expected ship date.
    ShipOffset = ship_offset, "SD";
    /// Extra non-working days.
    Holidays = holidays, "SD-2";
    /// Whether the channel mails the buyer.
    NotifyBuyer = notify_buyer, "NB";
    /// When the credentials end.
    CredentialsEnd = credentials_end, "KE";
    /// Whether the option code counts as SKU.
    OptionCodeAsSku = option_code_as_sku, "RC";
    /// How parcels reach the carrier.
    HandOver = hand_over, "HM";
}

impl fmt::Display for OptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
