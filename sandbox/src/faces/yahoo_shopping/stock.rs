//! `getStock` and `setStock`.

use axum::http::StatusCode;

use super::answer::{Done, Failure, Outcome, counted};
use super::desk::Visit;
use super::ledger::{Ledger, Loose, LooseKey, StockKey};
use super::settings::PartialStock;
use super::times::shown;
use super::view::item_code;
use crate::faces::xml::Element;
use crate::market::{Item, ItemStatus};

/// Most codes in one call.
const MOST: usize = 1_000;
/// Most pieces, and what stands in the market for "unlimited".
const LIMIT: i64 = 999_999_999;

/// A code as it was asked for: `code` or `code:subcode`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    item: String,
    sub: String,
}

/// What a code stands for.
enum Found {
    Stock(StockKey),
    /// An item with sub-codes, asked for without one.
    NeedsSub,
    Nothing,
}

fn is_code(code: &str) -> bool {
    (1..=99).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl Asked {
    fn read(text: &str) -> Self {
        let (item, sub) = text.split_once(':').unwrap_or((text, ""));
        Self { item: item.to_owned(), sub: sub.to_owned() }
    }

    /// Codes of samples have underscores, too.
    fn is_well_formed(&self) -> bool {
        let plain = |code: &str| is_code(&code.replace('_', "-"));
        plain(&self.item) && (self.sub.is_empty() || plain(&self.sub))
    }

    fn row(&self) -> Element {
        Element::new("Result")
            .child(Element::text("ItemCode", &self.item))
            .child(Element::text("SubCode", &self.sub))
    }

    fn loose_key(&self, store: &str) -> LooseKey {
        (store.to_owned(), self.item.clone(), self.sub.clone())
    }
}

fn find(visit: &Visit<'_>, asked: &Asked) -> Found {
    visit.market().read(|state| {
        let is_it =
            |item: &&Item| item.seller == visit.store && item_code(&item.seller_code, item.id) == asked.item;
        let Some(item) = state.items().find(is_it) else { return Found::Nothing };
        if item.options.is_empty() {
            return if asked.sub.is_empty() { Found::Stock((item.id, None)) } else { Found::Nothing };
        }
        if asked.sub.is_empty() {
            return Found::NeedsSub;
        }
        let option = item.options.iter().find(|option| option.sku == asked.sub);
        option.map_or(Found::Nothing, |option| Found::Stock((item.id, Some(option.id))))
    })
}

/// The codes of a call.
fn codes(visit: &Visit<'_>) -> Result<Vec<Asked>, Failure> {
    let bad = |code, text: &str| Failure::on_items(StatusCode::BAD_REQUEST, code, text);
    let text = visit.call.param("item_code").ok_or_else(|| bad("st-02101", "item_code is required"))?;
    let codes: Vec<Asked> = text.split(',').map(Asked::read).collect();
    if codes.len() > MOST {
        return Err(bad("st-02102", "too many item_code"));
    }
    Ok(codes)
}

/// `getStock`.
pub(super) fn get(visit: &Visit<'_>, ledger: &mut Ledger) -> Outcome {
    let codes = codes(visit)?;
    if let Some(bad) = codes.iter().find(|code| !code.is_well_formed()) {
        let text = format!("item_code is invalid : {}", bad.item);
        return Err(Failure::on_items(StatusCode::BAD_REQUEST, "st-02101", text));
    }
    let mut found = 0;
    let rows: Vec<Element> = codes
        .iter()
        .map(|asked| {
            let row = stock_row(visit, ledger, asked);
            found += usize::from(row.is_some());
            row.unwrap_or_else(|| asked.row().child(Element::text("Status", 0)))
        })
        .collect();
    let root = counted("ResultSet", rows.len(), rows.len())
        .attribute("firstResultPosition", 1)
        .attribute("ok", found)
        .attribute("ng", rows.len() - found);
    Done::ok(root.children(rows))
}

fn stock_row(visit: &Visit<'_>, ledger: &Ledger, asked: &Asked) -> Option<Element> {
    let flag = |name: &'static str, value: bool| Element::text(name, u8::from(value));
    let row = || asked.row().child(Element::text("Status", 1));
    let Found::Stock(key) = find(visit, asked) else {
        let loose = ledger.loose.get(&asked.loose_key(&visit.store))?;
        return Some(
            row()
                .child(Element::text("Quantity", loose.quantity))
                .child(flag("AllowOverdraft", false))
                .child(flag("IsPublished", false))
                .child(Element::text("UpdateTime", shown(visit.now)))
                .child(flag("StockClose", false)),
        );
    };
    let item = visit.market().item(key.0)?;
    let quantity = visit.market().quantity(key.0, key.1)?;
    let quantity = if ledger.unlimited.contains(&key) { String::new() } else { quantity.to_string() };
    let updated = ledger.stock_set_at.get(&key).copied().unwrap_or(visit.listed_at);
    Some(
        row()
            .child(Element::text("Quantity", quantity))
            .child(flag("AllowOverdraft", ledger.overdraft.get(&key).copied().unwrap_or_default()))
            .child(flag("IsPublished", item.status == ItemStatus::OnSale))
            .child(Element::text("UpdateTime", shown(updated)))
            .child(flag("StockClose", ledger.closed.contains(&key))),
    )
}

/// What is asked for one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Exactly(i64),
    By(i64),
    Unlimited,
}

fn wanted(text: &str) -> Option<Wanted> {
    if text.is_empty() {
        return Some(Wanted::Unlimited);
    }
    let digits = text.trim_start_matches(['+', '-']);
    if digits.is_empty() || digits.len() + 1 < text.len() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok().filter(|n| *n <= LIMIT)?;
    Some(match text.as_bytes().first() {
        Some(b'+') => Wanted::By(number),
        Some(b'-') => Wanted::By(-number),
        _ => Wanted::Exactly(number),
    })
}

/// A row of `setStock`.
struct Row {
    asked: Asked,
    wanted: Option<Wanted>,
    overdraft: bool,
    opens: bool,
    errors: Vec<&'static str>,
}

fn rows(visit: &Visit<'_>) -> Result<Vec<Row>, Failure> {
    let bad = |code, text: &str| Failure::on_items(StatusCode::BAD_REQUEST, code, text);
    let codes = codes(visit)?;
    let sent = visit.call.sent("quantity").ok_or_else(|| bad("st-02104", "quantity is required"))?;
    let quantities: Vec<&str> = sent.split(',').collect();
    if quantities.len() != codes.len() {
        return Err(bad("st-02105", "the number of quantity does not match"));
    }
    let overdrafts: Option<Vec<&str>> =
        visit.call.param("allow_overdraft").map(|text| text.split(',').collect());
    let closes: Option<Vec<&str>> = visit.call.param("stock_close").map(|text| text.split(',').collect());
    for list in [&overdrafts, &closes].into_iter().flatten() {
        if list.len() != codes.len() {
            return Err(bad("st-02107", "the number of values does not match"));
        }
    }
    let twice = |asked: &Asked| codes.iter().filter(|other| *other == asked).count() > 1;
    let row = |(at, asked): (usize, &Asked)| {
        let quantity = quantities.get(at).copied().unwrap_or_default();
        let overdraft = overdrafts.as_ref().and_then(|list| list.get(at).copied());
        let mut errors = Vec::new();
        if !asked.is_well_formed() || matches!(find(visit, asked), Found::NeedsSub) {
            errors.push("st-02101");
        }
        if twice(asked) {
            errors.push("st-02103");
        }
        if wanted(quantity).is_none() {
            errors.push("st-02104");
        }
        if overdraft.is_some_and(|value| !matches!(value, "0" | "1")) {
            errors.push("st-02106");
        }
        Row {
            asked: asked.clone(),
            wanted: wanted(quantity),
            // What is not sent is set to the store's default.
            overdraft: overdraft.map_or(visit.settings.default_overdraft, |value| value == "1"),
            opens: closes.as_ref().and_then(|list| list.get(at)).is_some_and(|value| *value == "0"),
            errors,
        }
    };
    Ok(codes.iter().enumerate().map(row).collect())
}

/// `setStock`.
pub(super) fn set(visit: &Visit<'_>, ledger: &mut Ledger) -> Outcome {
    let rows = rows(visit)?;
    let failed = rows.iter().filter(|row| !row.errors.is_empty()).count();
    if failed == rows.len() {
        let code = rows.first().and_then(|row| row.errors.first()).copied().unwrap_or("st-02101");
        return Err(Failure::on_items(StatusCode::BAD_REQUEST, code, "setStock failed"));
    }
    let only_looks = failed > 0 && visit.settings.partial_stock == PartialStock::Undone;
    let mut unreadable = 0;
    let mut shown_rows = Vec::new();
    for row in &rows {
        let answer = row.asked.row();
        if !row.errors.is_empty() {
            let answer = answer.child(Element::text("Quantity", ""));
            shown_rows.push(answer.child(Element::text("ErrorCode", row.errors.join(","))));
            continue;
        }
        let quantity = if only_looks { looks_like(visit, ledger, row) } else { set_row(visit, ledger, row) };
        if visit.take_unreadable() {
            unreadable += 1;
            let answer = answer.child(Element::text("Quantity", ""));
            shown_rows.push(answer.child(Element::text("ErrorCode", "ed-10002")));
        } else {
            shown_rows.push(answer.child(Element::text("Quantity", quantity)));
        }
    }
    let status = if failed + unreadable > 0 { StatusCode::MULTI_STATUS } else { StatusCode::OK };
    let root = counted("ResultSet", rows.len(), rows.len()).attribute("firstResultPosition", 1);
    Ok(Done { status, body: root.children(shown_rows) })
}

/// The quantity that a row would have.
fn looks_like(visit: &Visit<'_>, ledger: &Ledger, row: &Row) -> String {
    let before = match find(visit, &row.asked) {
        Found::Stock(key) => visit.market().quantity(key.0, key.1).unwrap_or_default(),
        _ => ledger.loose.get(&row.asked.loose_key(&visit.store)).map_or(0, |loose| loose.quantity),
    };
    match row.wanted {
        Some(Wanted::Exactly(quantity)) => quantity.to_string(),
        Some(Wanted::By(by)) => (before + by).clamp(0, LIMIT).to_string(),
        Some(Wanted::Unlimited) | None => String::new(),
    }
}

/// Sets a row, and tells the quantity afterwards.
fn set_row(visit: &Visit<'_>, ledger: &mut Ledger, row: &Row) -> String {
    let after = looks_like(visit, ledger, row);
    let Found::Stock(key) = find(visit, &row.asked) else {
        // The trap: a record is made for whatever is sent.
        let quantity = after.parse().unwrap_or(LIMIT);
        ledger.loose.insert(row.asked.loose_key(&visit.store), Loose { quantity });
        return after;
    };
    let acting = visit.acting();
    // The item is there, and nobody delists: there is nothing to be refused.
    let _ = match row.wanted {
        Some(Wanted::Exactly(quantity)) => acting.set_quantity(key.0, key.1, quantity),
        Some(Wanted::By(by)) => acting.change_quantity(key.0, key.1, by).map(|_| ()),
        Some(Wanted::Unlimited) | None => acting.set_quantity(key.0, key.1, LIMIT),
    };
    if row.wanted == Some(Wanted::Unlimited) {
        ledger.unlimited.insert(key);
    } else {
        ledger.unlimited.remove(&key);
    }
    ledger.overdraft.insert(key, row.overdraft);
    if row.opens {
        ledger.closed.remove(&key);
    }
    ledger.stock_set_at.insert(key, visit.now);
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_makes_a_difference_and_nothing_is_unlimited() {
        assert_eq!(wanted("10"), Some(Wanted::Exactly(10)));
        assert_eq!(wanted("+10"), Some(Wanted::By(10)));
        assert_eq!(wanted("-10"), Some(Wanted::By(-10)));
        assert_eq!(wanted(""), Some(Wanted::Unlimited));
        for text in ["+", "--1", "+-1", "1.5", " 1", "1000000000", "x"] {
            assert_eq!(wanted(text), None, "{text}");
        }
    }
}
