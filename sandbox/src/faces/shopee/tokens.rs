//! Authorizations, codes, access tokens and refresh tokens (sheet section 2).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Failure, Outcome};
use super::call::Call;
use super::settings::TokenError;
use super::{ACCESS_TOKEN, AUTH_CODE, MAIN_ACCOUNT_ID, OTHER_ACCESS_TOKEN, PARTNER_ID, REFRESH_TOKEN, SHOPS};

/// An access token is good for so many seconds.
const ACCESS_SECONDS: i64 = 14_400;
/// An access token that was replaced is good for so many more minutes.
const OLD_ACCESS_MINUTES: i64 = 5;
/// A refresh token is good for so many days, once.
const REFRESH_DAYS: i64 = 30;
/// A code is good for so many minutes, once.
const CODE_MINUTES: i64 = 10;
/// An authorization lasts so many days at most.
const AUTHORIZATION_DAYS: i64 = 365;

/// From when until when a seller lets the app work for a shop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Authorization {
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

#[derive(Debug)]
struct Code {
    code: String,
    shops: Vec<u64>,
    main_account: bool,
    days: i64,
    until: DateTime<Utc>,
}

#[derive(Debug)]
struct Access {
    token: String,
    shops: Vec<u64>,
    until: DateTime<Utc>,
}

/// The first one of a main account is common to its shops, once for each.
#[derive(Debug)]
struct Refresh {
    token: String,
    shops: Vec<u64>,
    until: DateTime<Utc>,
}

#[derive(Debug, Default)]
pub(super) struct Tokens {
    authorized: BTreeMap<u64, Authorization>,
    codes: Vec<Code>,
    access: Vec<Access>,
    refresh: Vec<Refresh>,
    made: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GetBody {
    code: String,
    partner_id: Option<u64>,
    shop_id: Option<u64>,
    main_account_id: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RefreshBody {
    refresh_token: String,
    partner_id: Option<u64>,
    shop_id: Option<u64>,
    merchant_id: Option<u64>,
    supplier_id: Option<u64>,
    user_id: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResendBody {
    resend_code: String,
}

impl Tokens {
    /// The tokens and the code that stand in the face's credentials.
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        let mut tokens = Self::default();
        let fixed = [(ACCESS_TOKEN, REFRESH_TOKEN), (OTHER_ACCESS_TOKEN, "6f74686572526566726573684f6e6521")];
        for (shop, (access, refresh)) in SHOPS.iter().zip(fixed) {
            tokens.authorize_shops(&[shop.id], AUTHORIZATION_DAYS, now);
            tokens.keep_access(access.to_owned(), vec![shop.id], now);
            tokens.keep_refresh(refresh.to_owned(), vec![shop.id], now);
        }
        tokens.keep_code(AUTH_CODE.to_owned(), vec![SHOPS[0].id], false, AUTHORIZATION_DAYS, now);
        tokens
    }

    /// 32 hex digits that nobody can guess from the last by adding one.
    fn text(&mut self) -> String {
        self.made += 1;
        let mixed = self.made.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!("{mixed:016x}{:016x}", mixed.rotate_left(29) ^ 0x5348_4F50)
    }

    fn authorize_shops(&mut self, shops: &[u64], days: i64, now: DateTime<Utc>) {
        let days = days.clamp(0, AUTHORIZATION_DAYS);
        for &shop in shops {
            let authorization = Authorization { from: now, until: now + TimeDelta::days(days) };
            self.authorized.insert(shop, authorization);
        }
    }

    fn keep_access(&mut self, token: String, shops: Vec<u64>, now: DateTime<Utc>) {
        self.access.push(Access { token, shops, until: now + TimeDelta::seconds(ACCESS_SECONDS) });
    }

    fn keep_refresh(&mut self, token: String, shops: Vec<u64>, now: DateTime<Utc>) {
        self.refresh.push(Refresh { token, shops, until: now + TimeDelta::days(REFRESH_DAYS) });
    }

    fn keep_code(
        &mut self,
        code: String,
        shops: Vec<u64>,
        main_account: bool,
        days: i64,
        now: DateTime<Utc>,
    ) {
        let until = now + TimeDelta::minutes(CODE_MINUTES);
        self.codes.push(Code { code, shops, main_account, days, until });
    }

    /// A code as the redirect brings it.
    pub(super) fn issue_code(
        &mut self,
        shops: Vec<u64>,
        main_account: bool,
        days: i64,
        now: DateTime<Utc>,
    ) -> String {
        let code = self.text();
        self.keep_code(code.clone(), shops, main_account, days, now);
        code
    }

    /// A code for an app that lost its tokens; the authorization stays as it is.
    pub(super) fn issue_resend_code(&mut self, shop: u64, now: DateTime<Utc>) -> String {
        let code = format!("resend{}", self.text());
        self.keep_code(code.clone(), vec![shop], false, 0, now);
        code
    }

    /// The seller takes the authorization back: tokens are dead.
    pub(super) fn deauthorize(&mut self, shop: u64) {
        self.authorized.remove(&shop);
        for access in &mut self.access {
            access.shops.retain(|id| *id != shop);
        }
        for refresh in &mut self.refresh {
            refresh.shops.retain(|id| *id != shop);
        }
    }

    pub(super) fn authorization(&self, shop: u64) -> Option<Authorization> {
        self.authorized.get(&shop).copied()
    }

    pub(super) fn authorized(&self) -> impl Iterator<Item = (u64, Authorization)> {
        self.authorized.iter().map(|(shop, authorization)| (*shop, *authorization))
    }

    /// Whether the shop may be called for at all.
    ///
    /// # Errors
    /// `partner_shop_no_link`, `shop_no_linked`, `shop_access_expired`.
    fn check_shop(&self, shop: u64, now: DateTime<Utc>) -> Result<(), Failure> {
        if SHOPS.iter().all(|known| known.id != shop) {
            return Err(Failure::new(
                "partner_shop_no_link",
                "Invalid partner_id or shop_id, please have a check.",
            ));
        }
        match self.authorized.get(&shop) {
            None => Err(Failure::new("shop_no_linked", "Partner and shop has no linked.")),
            Some(authorization) if authorization.until <= now => {
                Err(Failure::new("shop_access_expired", "Your access to shop has expired."))
            }
            Some(_) => Ok(()),
        }
    }

    /// # Errors
    /// As [`Tokens::check_shop`], or the code of a bad access token.
    pub(super) fn check_access(
        &self,
        token: &str,
        shop: u64,
        spelling: TokenError,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        self.check_shop(shop, now)?;
        let good =
            |access: &Access| access.token == token && access.until > now && access.shops.contains(&shop);
        if self.access.iter().any(good) { Ok(()) } else { Err(bad_token(spelling)) }
    }

    /// `POST /api/v2/auth/token/get`.
    pub(super) fn get(&mut self, call: &Call<'_>, now: DateTime<Utc>) -> Outcome {
        let body: GetBody = call.body()?;
        check_partner(body.partner_id)?;
        if body.code.is_empty() {
            return Err(Failure::required("code"));
        }
        if body.shop_id.is_some() && body.main_account_id.is_some() {
            return Err(Failure::wrong("send shop_id or main_account_id."));
        }
        let bad =
            || Failure::new("invalid_code", "The code is expired or used or invalid, please check the code.");
        let at = self.codes.iter().position(|code| code.code == body.code && code.until > now);
        let at = at.filter(|_| !body.code.starts_with("resend")).ok_or_else(bad)?;
        let code = &self.codes[at];
        if code.main_account && body.main_account_id != Some(MAIN_ACCOUNT_ID) {
            return Err(Failure::new(
                "invalid_main_acount_id",
                "The code or main_accoount_id is wrong, please check the code or the main_account_id.",
            ));
        }
        if !code.main_account && !body.shop_id.is_some_and(|shop| code.shops.contains(&shop)) {
            return Err(Failure::new(
                "invalid_shop_id",
                "The code or shop_id is wrong, please check the code or the shop_id.",
            ));
        }
        let code = self.codes.swap_remove(at);
        self.authorize_shops(&code.shops, code.days, now);
        Ok(Answer::top(self.issue(code.shops, now)))
    }

    /// `POST /api/v2/public/get_token_by_resend_code`.
    pub(super) fn resend(&mut self, call: &Call<'_>, now: DateTime<Utc>) -> Outcome {
        let body: ResendBody = call.body()?;
        if body.resend_code.is_empty() {
            return Err(Failure::required("resend_code"));
        }
        let good = |code: &Code| {
            code.code == body.resend_code && code.code.starts_with("resend") && code.until > now
        };
        let at = self.codes.iter().position(good);
        let at = at.ok_or_else(|| Failure::new("error_auth", "Invalid code"))?;
        let code = self.codes.swap_remove(at);
        for &shop in &code.shops {
            self.check_shop(shop, now)?;
        }
        Ok(Answer::top(self.issue(code.shops, now)))
    }

    fn issue(&mut self, shops: Vec<u64>, now: DateTime<Utc>) -> Value {
        let (access, refresh) = (self.text(), self.text());
        self.keep_access(access.clone(), shops.clone(), now);
        self.keep_refresh(refresh.clone(), shops.clone(), now);
        json!({
            "access_token": access,
            "refresh_token": refresh,
            "expire_in": ACCESS_SECONDS,
            "shop_id_list": shops,
            "merchant_id_list": [],
        })
    }

    /// The shop's access tokens have their last minutes.
    fn end_access(&mut self, shop: u64, now: DateTime<Utc>) {
        let last = now + TimeDelta::minutes(OLD_ACCESS_MINUTES);
        for access in self.access.iter_mut().filter(|access| access.shops == [shop]) {
            access.until = access.until.min(last);
        }
    }

    /// `POST /api/v2/auth/access_token/get`.
    pub(super) fn refresh(&mut self, call: &Call<'_>, now: DateTime<Utc>) -> Outcome {
        let body: RefreshBody = call.body()?;
        check_partner(body.partner_id)?;
        if body.refresh_token.is_empty() {
            return Err(Failure::required("refresh_token"));
        }
        let others = [body.merchant_id, body.supplier_id, body.user_id];
        let shop = match (body.shop_id, others.iter().flatten().count()) {
            (Some(shop), 0) => shop,
            (None, 1) => {
                return Err(Failure::new(
                    "error_merchant_refresh_token",
                    "Your refresh token is error,please check refresh token or merchant_id.",
                ));
            }
            _ => {
                return Err(Failure::wrong("send one of shop_id, merchant_id, supplier_id and user_id."));
            }
        };
        self.check_shop(shop, now)?;
        let good =
            |refresh: &&mut Refresh| refresh.token == body.refresh_token && refresh.shops.contains(&shop);
        let found = self.refresh.iter_mut().find(good);
        let found = found.ok_or_else(|| {
            Failure::new(
                "error_shop_refresh_token",
                "Your refresh token is error ,please check refresh token or shopid.",
            )
        })?;
        if found.until <= now {
            return Err(Failure::new("refresh_token_expired", "Your refresh_token expired."));
        }
        // Once for each shop, whatever becomes of the answer.
        found.shops.retain(|id| *id != shop);
        self.end_access(shop, now);
        let mut fields = self.issue(vec![shop], now);
        if let Some(fields) = fields.as_object_mut() {
            fields.retain(|name, _| !name.ends_with("_list"));
            fields.insert("shop_id".to_owned(), json!(shop));
            fields.insert("partner_id".to_owned(), json!(PARTNER_ID));
        }
        Ok(Answer::top(fields))
    }
}

fn check_partner(sent: Option<u64>) -> Result<(), Failure> {
    match sent {
        None => Err(Failure::required("partner_id")),
        Some(PARTNER_ID) => Ok(()),
        Some(_) => Err(Failure::new("invalid_partner_id", "Invalid partner_id, please have a check.")),
    }
}

fn bad_token(spelling: TokenError) -> Failure {
    match spelling {
        TokenError::Misspelled => {
            Failure::new("invalid_acceess_token", "Invalid access_token, please have a check.")
        }
        TokenError::Spelled => {
            Failure::new("invalid_access_token", "Invalid access_token, please have a check.")
        }
        TokenError::Auth => Failure::new("error_auth", "Invalid access_token."),
    }
}
