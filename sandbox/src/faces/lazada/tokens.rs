//! Access tokens, refresh tokens and authorization codes (sheet section 2).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::call::Call;
use super::settings::{RefreshTokens, Settings};
use super::{ACCESS_TOKEN, AUTH_CODE, OTHER_ACCESS_TOKEN, REFRESH_TOKEN, SHOPS};

/// A refresh token is good for so many days.
const REFRESH_DAYS: i64 = 180;
/// A code is good for so many minutes, once.
const CODE_MINUTES: i64 = 30;

/// A token or code of a seller.
#[derive(Debug, Clone)]
struct Pass {
    text: String,
    seller: String,
    until: DateTime<Utc>,
}

#[derive(Debug, Default)]
pub(super) struct Tokens {
    access: Vec<Pass>,
    refresh: Vec<Pass>,
    codes: Vec<Pass>,
    made: u64,
}

impl Tokens {
    /// The tokens and the code that stand in the face's credentials.
    pub(super) fn new(settings: &Settings, now: DateTime<Utc>) -> Self {
        let mut tokens = Self::default();
        let fixed = [(ACCESS_TOKEN, REFRESH_TOKEN), (OTHER_ACCESS_TOKEN, "50001600sandboxother00bwa2WteaQ")];
        for (shop, (access, refresh)) in SHOPS.iter().zip(fixed) {
            let pass = |text: &str, days| Pass {
                text: text.to_owned(),
                seller: shop.seller.to_owned(),
                until: now + TimeDelta::days(days),
            };
            tokens.access.push(pass(access, i64::from(settings.access_days)));
            tokens.refresh.push(pass(refresh, REFRESH_DAYS));
        }
        tokens.issue_code(AUTH_CODE.to_owned(), SHOPS[0].seller, now);
        tokens
    }

    /// A fresh text that nobody can guess from the last by adding one.
    fn text(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}{:016x}{:08x}", self.made.wrapping_mul(0x9E37_79B9_7F4A_7C15), self.made)
    }

    pub(super) fn authorize(&mut self, seller: &str, now: DateTime<Utc>) -> String {
        let code = self.text("0_123456_");
        self.issue_code(code.clone(), seller, now);
        code
    }

    fn issue_code(&mut self, text: String, seller: &str, now: DateTime<Utc>) {
        let until = now + TimeDelta::minutes(CODE_MINUTES);
        self.codes.push(Pass { text, seller: seller.to_owned(), until });
    }

    /// The seller behind an access token.
    ///
    /// # Errors
    /// IllegalAccessToken.
    pub(super) fn seller(&self, token: &str, now: DateTime<Utc>) -> Result<&str, Failure> {
        let known = self.access.iter().find(|pass| pass.text == token && now < pass.until);
        known.map(|pass| pass.seller.as_str()).ok_or_else(Failure::bad_token)
    }

    /// The seller takes the authorization back: its tokens are dead.
    pub(super) fn deauthorize(&mut self, seller: &str) {
        self.access.retain(|pass| pass.seller != seller);
        self.refresh.retain(|pass| pass.seller != seller);
    }

    /// `generateaccesstoken`.
    pub(super) fn create(&mut self, call: &Call<'_>, settings: &Settings, now: DateTime<Utc>) -> Outcome {
        let code = call.required("code")?;
        let bad_code = || Failure::platform("InvalidCode", "Invalid authorization code");
        let at = self.codes.iter().position(|pass| pass.text == code);
        // A code works once, whatever comes of it.
        let code = self.codes.swap_remove(at.ok_or_else(bad_code)?);
        if code.until <= now {
            return Err(bad_code());
        }
        let mut pair = self.issue(&code.seller, settings, now);
        let shown = country_info(&code.seller, &settings.country.code().to_ascii_uppercase());
        pair["country_user_info"] = json!([shown]);
        // A text here and a number after a refresh, as in the documentation.
        pair["refresh_expires_in"] = json!((REFRESH_DAYS * 86_400).to_string());
        Ok(pair)
    }

    /// `refreshaccesstoken`.
    pub(super) fn refresh(&mut self, call: &Call<'_>, settings: &Settings, now: DateTime<Utc>) -> Outcome {
        let sent = call.required("refresh_token")?;
        let found = self.refresh.iter().position(|pass| pass.text == sent && now < pass.until);
        let at = found.ok_or_else(|| {
            Failure::platform("IllegalRefreshToken", "The specified refresh token is invalid or expired")
        })?;
        let seller = self.refresh[at].seller.clone();
        if settings.refresh_tokens == RefreshTokens::Rotate {
            self.refresh.swap_remove(at);
        }
        let mut pair = self.issue(&seller, settings, now);
        pair["country_user_info_list"] = json!([country_info(&seller, settings.country.code())]);
        pair["refresh_expires_in"] = json!(REFRESH_DAYS * 86_400);
        Ok(pair)
    }

    fn issue(&mut self, seller: &str, settings: &Settings, now: DateTime<Utc>) -> Value {
        let (access, refresh) = (self.text("50000601"), self.text("50001600"));
        let pass = |text: &str, days| Pass {
            text: text.to_owned(),
            seller: seller.to_owned(),
            until: now + TimeDelta::days(days),
        };
        self.access.push(pass(&access, i64::from(settings.access_days)));
        self.refresh.push(pass(&refresh, REFRESH_DAYS));
        json!({
            "access_token": access,
            "expires_in": i64::from(settings.access_days) * 86_400,
            "refresh_token": refresh,
            "country": settings.country.code(),
            "account_platform": "seller_center",
            "account_id": null,
            "account": format!("{seller}@example.com"),
        })
    }
}

fn country_info(seller: &str, country: &str) -> Value {
    let id = SHOPS.iter().find(|shop| shop.seller == seller).map_or(0, |shop| shop.id).to_string();
    json!({ "country": country, "seller_id": id, "user_id": id, "short_code": short_code(country, &id) })
}

pub(super) fn short_code(country: &str, seller_id: &str) -> String {
    format!("{}{seller_id}", country.to_ascii_uppercase())
}
