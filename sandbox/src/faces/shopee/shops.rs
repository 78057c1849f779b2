//! Consent, tokens, and what shops there are (sheet section 2).

use axum::http::Method;
use serde_json::{Value, json};

use super::answer::{Answer, Failure, Outcome};
use super::desk::{Front, Visit};
use super::tokens::Tokens;
use super::{PARTNER_ID, SHOPS};
use crate::lock;

/// What a seller who does not choose gets.
const DEFAULT_DAYS: i64 = 365;

fn with_tokens<T>(front: &Front<'_>, work: impl FnOnce(&mut Tokens) -> T) -> T {
    work(lock(&front.desk.face.0.tokens).get_or_insert_with(|| Tokens::new(front.now)))
}

/// `auth/token/get`.
pub(super) fn get_token(front: &Front<'_>) -> Outcome {
    with_tokens(front, |tokens| tokens.get(front.call, front.now))
}

/// `auth/access_token/get`.
pub(super) fn refresh_token(front: &Front<'_>) -> Outcome {
    with_tokens(front, |tokens| tokens.refresh(front.call, front.now))
}

/// `public/get_token_by_resend_code`.
pub(super) fn resend_token(front: &Front<'_>) -> Outcome {
    with_tokens(front, |tokens| tokens.resend(front.call, front.now))
}

/// `shop/auth_partner`: the legacy link. The demo seller agrees at once.
pub(super) fn auth_partner(front: &Front<'_>) -> Outcome {
    let back = front.call.required("redirect")?.to_owned();
    Ok(agree(front, &back, None))
}

/// `/auth`: the current link. The demo seller agrees at once.
pub(super) fn consent(front: &Front<'_>) -> Outcome {
    let back = check_link(front)?;
    Ok(agree(front, &back, front.call.sent("state")))
}

/// `/cancel_auth`: the demo seller takes it back at once.
pub(super) fn end_consent(front: &Front<'_>) -> Outcome {
    let back = check_link(front)?;
    with_tokens(front, |tokens| tokens.deauthorize(SHOPS[0].id));
    Ok(Answer::redirect(with_query(&back, &[("shop_id", &SHOPS[0].id.to_string())])))
}

fn check_link(front: &Front<'_>) -> Result<String, Failure> {
    if front.call.method != Method::GET {
        return Err(Failure::no_such_path());
    }
    if front.call.param("partner_id") != PARTNER_ID.to_string() {
        return Err(Failure::param("Invalid partner_id."));
    }
    if front.call.param("auth_type") != "seller" || front.call.param("response_type") != "code" {
        return Err(Failure::wrong("auth_type or response_type."));
    }
    front.call.required("redirect_uri").map(str::to_owned)
}

fn agree(front: &Front<'_>, back: &str, state: Option<&str>) -> Answer {
    let shop = SHOPS[0].id;
    let code = with_tokens(front, |tokens| tokens.issue_code(vec![shop], false, DEFAULT_DAYS, front.now));
    let shop = shop.to_string();
    let mut query = vec![("code", code.as_str()), ("shop_id", &shop)];
    query.extend(state.map(|state| ("state", state)));
    Answer::redirect(with_query(back, &query))
}

fn with_query(address: &str, query: &[(&str, &str)]) -> String {
    let joined: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("{address}{}{joined}", if address.contains('?') { '&' } else { '?' })
}

/// `public/get_shops_by_partner`.
pub(super) fn by_partner(front: &Front<'_>) -> Outcome {
    let number = |name: &str, default: i64| match front.call.param(name) {
        "" => Ok(default),
        _ => front.call.number(name),
    };
    let size = super::call::check_page_size(number("page_size", 100)?)?.min(front.settings.page_size);
    let page = usize::try_from(number("page_no", 1)? - 1).map_err(|_| Failure::wrong("page_no."))?;
    let authorized = with_tokens(front, |tokens| tokens.authorized().collect::<Vec<_>>());
    let rows: Vec<Value> = authorized
        .iter()
        .skip(page.saturating_mul(size))
        .take(size)
        .map(|(shop, authorization)| {
            json!({
                "shop_id": shop,
                "region": front.settings.region,
                "sip_affi_shop_list": [],
                "auth_time": authorization.from.timestamp(),
                "expire_time": authorization.until.timestamp(),
            })
        })
        .collect();
    let more = page.saturating_add(1).saturating_mul(size) < authorized.len();
    Ok(Answer::top(json!({ "authed_shop_list": rows, "more": more })))
}

/// `public/get_shopee_ip_ranges`: addresses that are there for documentation only.
pub(super) fn ip_ranges(_: &Front<'_>) -> Outcome {
    Ok(Answer::top(json!({ "ip_list": ["192.0.2.0/24", "198.51.100.0/24"] })))
}

/// `shop/get_shop_info`.
pub(super) fn info(visit: &Visit<'_>) -> Outcome {
    let tokens = lock(&visit.desk.face.0.tokens);
    let authorization = tokens.as_ref().and_then(|tokens| tokens.authorization(visit.shop.id));
    let authorization =
        authorization.ok_or_else(|| Failure::new("shop_no_linked", "Partner and shop has no linked."))?;
    Ok(Answer::top(json!({
        "auth_time": authorization.from.timestamp(),
        "expire_time": authorization.until.timestamp(),
        "shop_name": visit.shop.name,
        "region": visit.settings.region,
        "status": "NORMAL",
        "shop_fulfillment_flag": "Others",
        "is_cb": false,
        "is_upgraded_cbsc": false,
        "merchant_id": null,
        "is_sip": false,
        "sip_affi_shops": [],
        "is_main_shop": false,
        "is_direct_shop": false,
        "linked_direct_shop_list": [],
        "linked_main_shop_id": 0,
    })))
}
