//! Sample data: a small catalogue and any number of plausible orders, the same for the same seed.

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use serde::Deserialize;

use crate::Amount;
use crate::market::{
    Address, Axis, ItemDraft, ItemId, LineDraft, Market, OptionId, OrderDraft, OrderNumber, Person, Refusal,
};

/// Names, their readings and mobile numbers of made-up buyers.
const BUYERS: [(&str, &str, &str); 8] = [
    ("山田 花子", "ヤマダ ハナコ", "090-0000-0001"),
    ("佐藤 健", "サトウ ケン", "080-0000-0002"),
    ("髙橋 﨑子", "タカハシ サキコ", "070-0000-0003"),
    ("김민지", "キム ミンジ", "010-0000-0004"),
    ("이서준", "イ ソジュン", "010-0000-0005"),
    ("O'Brien & Søn <Ltd>", "オブライエン", "090-0000-0006"),
    ("ﾔﾏﾓﾄ ﾀﾛｳ", "ﾔﾏﾓﾄ ﾀﾛｳ", "09000000007"),
    ("𠮷野 家", "ヨシノ ヤ", "０９０－００００－０００８"),
];

/// Postal code, region, city, street, building.
const PLACES: [(&str, &str, &str, &str, &str); 6] = [
    ("100-0001", "東京都", "千代田区", "千代田1-1", "テストビル101"),
    ("530-0001", "大阪府", "大阪市北区", "梅田２丁目４－９", "ﾃｽﾄﾏﾝｼｮﾝ 12F"),
    ("0600000", "北海道", "札幌市中央区", "北一条西2", ""),
    ("900-0006", "沖縄県", "那覇市", "おもろまち4-1 \"A\" 棟", "B\\C"),
    ("812-0011", "福岡県", "福岡市博多区", "博多駅前3-2-1", "🏢ビル 3階"),
    ("160-0022", "東京都", "新宿区", "新宿3丁目", "김치하우스 201호"),
];

const MESSAGES: [&str; 5] = [
    "",
    "",
    "不在の場合は管理室に預けてください。",
    "ギフト包装でお願いします🎁\n2行目もあります",
    "문 앞에 놓아주세요",
];

/// Orders to be made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SampleOrders {
    /// How many.
    pub orders: usize,
    /// The same seed makes the same orders.
    pub seed: u64,
    /// The seller that they belong to.
    pub seller: String,
    /// When the first was paid; so that the last is paid now when absent.
    pub from: Option<DateTime<Utc>>,
    /// Seconds between two orders.
    pub spacing_seconds: u32,
    /// Most lines of an order, at least 1.
    pub max_lines: usize,
}

impl Default for SampleOrders {
    fn default() -> Self {
        Self {
            orders: 100,
            seed: 1,
            seller: crate::market::DEFAULT_SELLER.to_owned(),
            from: None,
            spacing_seconds: 30,
            max_lines: 3,
        }
    }
}

impl SampleOrders {
    /// So many orders from this seed.
    pub fn new(orders: usize, seed: u64) -> Self {
        Self { orders, seed, ..Self::default() }
    }
}

/// An item of the catalogue with its options, to be ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleItem {
    /// The item.
    pub id: ItemId,
    /// Its options.
    pub options: Vec<OptionId>,
}

/// Lists six items: simple ones and some with one or two axes, with emoji, half-width and full-width characters.
///
/// # Errors
/// None that can be expected: no draft names an id.
pub fn list_catalogue(market: &Market) -> Result<Vec<SampleItem>, Refusal> {
    catalogue()
        .into_iter()
        .map(|draft| {
            let id = market.list(draft)?;
            let options =
                market.item(id).map(|item| item.options.iter().map(|o| o.id).collect()).unwrap_or_default();
            Ok(SampleItem { id, options })
        })
        .collect()
}

fn catalogue() -> Vec<ItemDraft> {
    let mut shirt = ItemDraft::simple("TEE-01", "オーガニックTシャツ 🌿", Amount::whole(1980), 0);
    for (colour, code) in [("赤", "RED"), ("ネイビー", "NAVY")] {
        for size in ["S", "M", "L"] {
            let axes = vec![Axis::new("カラー", colour), Axis::new("サイズ", size)];
            shirt = shirt.with_option(axes, &format!("TEE-01-{code}-{size}"), 40);
        }
    }
    let cream = ItemDraft::simple("CRM-04", "수분 크림 50ml", Amount::whole(3300), 0)
        .with_option(vec![Axis::new("種類", "１個")], "CRM-04-1", 30)
        .with_option(vec![Axis::new("種類", "２個ｾｯﾄ")], "CRM-04-2", 12);
    vec![
        shirt,
        ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), 60),
        ItemDraft::simple("MUG-03", "マグカップ ☕ 350㎖【限定】", Amount::whole(1200), 25),
        cream,
        ItemDraft::simple("PAD-05", "ｺｯﾄﾝﾊﾟｯﾄﾞ １００枚 <お徳用> & \"詰替\"", Amount::whole(398), 500),
        ItemDraft::simple("TOY-06", "👩‍👩‍👧 ファミリー人形", Amount::whole(5600), 1),
    ]
}

/// Puts sample orders in without touching quantities or the record: 100,000 take about a second.
///
/// # Errors
/// [`Refusal::NoSuchItem`] or [`Refusal::NoSuchOption`] when `items` are not listed in this market.
pub fn import_orders(
    market: &Market,
    items: &[SampleItem],
    spec: &SampleOrders,
) -> Result<Vec<OrderNumber>, Refusal> {
    if items.is_empty() && spec.orders > 0 {
        return Err(Refusal::NoSuchItem);
    }
    let now = market.clock().now();
    let spacing = TimeDelta::seconds(i64::from(spec.spacing_seconds));
    let span = spacing.checked_mul(i32::try_from(spec.orders.saturating_sub(1)).unwrap_or(i32::MAX));
    let first = spec.from.or_else(|| now.checked_sub_signed(span?)).unwrap_or(now);
    let mut random = Rng::with_seed(spec.seed);
    let mut paid_at = first;
    market.import((0..spec.orders).map(|_| {
        let draft = draft(&mut random, items, spec, paid_at);
        paid_at = paid_at.checked_add_signed(spacing).unwrap_or(paid_at);
        draft
    }))
}

fn pick<'a, T>(random: &mut Rng, from: &'a [T]) -> &'a T {
    &from[random.usize(..from.len())]
}

fn draft(random: &mut Rng, items: &[SampleItem], spec: &SampleOrders, paid_at: DateTime<Utc>) -> OrderDraft {
    let (name, reading, mobile) = *pick(random, &BUYERS);
    let (postal_code, region, city, line1, line2) = *pick(random, &PLACES);
    let lines = (0..random.usize(1..=spec.max_lines.max(1))).map(|_| line(random, items)).collect();
    OrderDraft {
        seller: spec.seller.clone(),
        buyer: Person {
            name: name.into(),
            reading: reading.into(),
            mobile: mobile.into(),
            email: "buyer@example.com".into(),
            ..Person::default()
        },
        address: Address {
            country: "JP".into(),
            postal_code: postal_code.into(),
            region: region.into(),
            city: city.into(),
            line1: line1.into(),
            line2: line2.into(),
        },
        lines,
        shipping_fee: Amount::whole(*pick(random, &[0, 0, 500, 660])),
        message: (*pick(random, &MESSAGES)).into(),
        ordered_at: Some(paid_at.checked_sub_signed(TimeDelta::seconds(28)).unwrap_or(paid_at)),
        paid_at: Some(paid_at),
        ..OrderDraft::default()
    }
}

fn line(random: &mut Rng, items: &[SampleItem]) -> LineDraft {
    let item = pick(random, items);
    let option = (!item.options.is_empty()).then(|| *pick(random, &item.options));
    LineDraft {
        item: Some(item.id),
        option,
        quantity: random.u32(1..=3),
        discount: Amount::whole(*pick(random, &[0, 0, 100])),
        ..LineDraft::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;

    fn made(seed: u64) -> Vec<crate::market::Order> {
        let market = Market::new(Clock::standing(DateTime::UNIX_EPOCH + TimeDelta::days(20_000)));
        let items = list_catalogue(&market).unwrap();
        import_orders(&market, &items, &SampleOrders::new(50, seed)).unwrap();
        market.read(|state| state.orders().to_vec())
    }

    #[test]
    fn a_seed_makes_the_same_orders() {
        assert_eq!(made(3), made(3));
        assert_ne!(made(3), made(4));
    }

    #[test]
    fn sample_orders_end_now_and_leave_quantities_alone() {
        let market = Market::new(Clock::standing(DateTime::UNIX_EPOCH + TimeDelta::days(20_000)));
        let items = list_catalogue(&market).unwrap();
        let before: Vec<_> = market.read(|state| state.items().cloned().collect());
        import_orders(&market, &items, &SampleOrders::new(20, 1)).unwrap();
        assert_eq!(before, market.read(|state| state.items().cloned().collect::<Vec<_>>()));
        assert_eq!(market.read(|state| state.orders().last().unwrap().paid_at), Some(market.clock().now()));
    }
}
