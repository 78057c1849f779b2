//! Access keys: they live 180 days and can't be renewed (sheet section 2). And the limit per vendor.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::answer::Failure;
use super::call::{Authorization, Call, signature};
use super::dates;
use super::settings::Settings;
use super::{
    ACCESS_KEY, EXPIRED_ACCESS_KEY, OTHER_ACCESS_KEY, OTHER_SELLER, OTHER_VENDOR_ID, SECRET_KEY, VENDOR_ID,
};
use crate::market::DEFAULT_SELLER;

/// A key lives so many days.
const LIFE_DAYS: i64 = 180;
/// A signature's time may be so many seconds off. The real window is not published.
const CLOCK_SECONDS: i64 = 300;

#[derive(Debug, Clone)]
struct Key {
    secret: String,
    vendor: &'static str,
    seller: String,
    issued: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Keys {
    keys: HashMap<String, Key>,
    window: HashMap<String, (DateTime<Utc>, u32)>,
    blocked_until: HashMap<String, DateTime<Utc>>,
    made: u32,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) vendor: &'static str,
    pub(super) seller: String,
}

impl Keys {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        let key = |vendor, seller: &str, issued| Key {
            secret: SECRET_KEY.to_owned(),
            vendor,
            seller: seller.to_owned(),
            issued,
        };
        let keys = HashMap::from([
            (ACCESS_KEY.to_owned(), key(VENDOR_ID, DEFAULT_SELLER, now)),
            (OTHER_ACCESS_KEY.to_owned(), key(OTHER_VENDOR_ID, OTHER_SELLER, now)),
            (EXPIRED_ACCESS_KEY.to_owned(), key(VENDOR_ID, DEFAULT_SELLER, now - TimeDelta::days(LIFE_DAYS))),
        ]);
        Self { keys, window: HashMap::new(), blocked_until: HashMap::new(), made: 0 }
    }

    /// A new key for the demo seller; the old ones of this vendor die at once.
    pub(super) fn reissue(&mut self, now: DateTime<Utc>) -> (String, String) {
        self.made += 1;
        self.keys.retain(|_, key| key.vendor != VENDOR_ID);
        let access = format!("99998888-7777-6666-5555-{:012}", self.made);
        let secret = format!("{:040x}", u128::from(self.made).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C));
        let key =
            Key { secret: secret.clone(), vendor: VENDOR_ID, seller: DEFAULT_SELLER.to_owned(), issued: now };
        self.keys.insert(access.clone(), key);
        (access, secret)
    }

    /// # Errors
    /// 401 for a bad, stale or missing signature and a dead or expired key.
    pub(super) fn caller(&self, call: &Call<'_>, now: DateTime<Utc>) -> Result<Caller, Failure> {
        let sent = Authorization::read(call.headers)
            .ok_or_else(|| Failure::unauthorized("Invalid authorization header."))?;
        let key = self
            .keys
            .get(sent.access_key)
            .ok_or_else(|| Failure::unauthorized("Specified key is not registered."))?;
        let stale = || Failure::unauthorized("Specified signature is expired.");
        let date = dates::signed_date(sent.signed_date).ok_or_else(stale)?;
        if (now - date).num_seconds().abs() > CLOCK_SECONDS {
            return Err(stale());
        }
        let expected =
            signature(&key.secret, sent.signed_date, call.method.as_str(), call.path, call.raw_query);
        if sent.signature != expected {
            return Err(Failure::unauthorized("Invalid signature."));
        }
        if key.issued + TimeDelta::days(LIFE_DAYS) <= now {
            return Err(Failure::unauthorized("Specified key is expired."));
        }
        Ok(Caller { vendor: key.vendor, seller: key.seller.clone() })
    }

    /// Counts a call of a vendor. A vendor above the limit is blocked for a while, on the sandbox's clock.
    pub(super) fn is_over_limit(&mut self, vendor: &str, settings: &Settings, now: DateTime<Utc>) -> bool {
        let Some(limit) = settings.limit else { return false };
        if self.blocked_until.get(vendor).is_some_and(|until| now < *until) {
            return true;
        }
        let (start, used) = self.window.entry(vendor.to_owned()).or_insert((now, 0));
        if (now - *start).num_seconds().unsigned_abs() >= u64::from(limit.seconds) {
            (*start, *used) = (now, 0);
        }
        *used = used.saturating_add(1);
        let over = *used > limit.requests;
        if over {
            let until = now + TimeDelta::minutes(i64::from(settings.block_minutes));
            self.blocked_until.insert(vendor.to_owned(), until);
        }
        over
    }
}
