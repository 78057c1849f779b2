//! Carriers: the names that people use, and the channel's codes ("Ship").

/// The code for a carrier that the channel has none for.
pub(super) const OTHER: &str = "1000";
/// Yamato.
pub(super) const YAMATO: &str = "1001";
/// Japan Post.
pub(super) const JAPAN_POST: &str = "1003";

/// Code, the channel's own name, other usual names in lower case.
const CARRIERS: &[(&str, &str, &[&str])] = &[
    (OTHER, "その他", &["other"]),
    (YAMATO, "ヤマト運輸", &["yamato", "yamato transport", "kuroneko yamato", "クロネコヤマト", "ヤマト"]),
    ("1002", "佐川急便", &["sagawa", "sagawa express", "佐川"]),
    (JAPAN_POST, "日本郵便", &["japan post", "jp post", "yu-pack", "yupack", "ゆうパック", "郵便局"]),
    ("1004", "西濃運輸", &["seino", "seino transportation"]),
    ("1005", "西武運輸", &["seibu", "seibu unyu"]),
    ("1006", "福山通運", &["fukuyama", "fukuyama transporting"]),
    ("1007", "名鉄運輸", &["meitetsu", "meitetsu transport"]),
    ("1008", "トナミ運輸", &["tonami", "tonami transportation"]),
    ("1009", "第一貨物", &["daiichi kamotsu", "daiichi freight system"]),
    ("1010", "新潟運輸", &["niigata", "niigata unyu"]),
    ("1011", "中越運送", &["chuetsu", "chuetsu transport"]),
    ("1012", "岡山県貨物運送", &["okayama-ken", "okayamaken freight"]),
    ("1013", "久留米運送", &["kurume", "kurume-trans"]),
    ("1014", "山陽自動車運送", &["san'yo", "sanyo jidosha unso"]),
    ("1015", "日本トラック", &["nippon truck"]),
    ("1016", "エコ配", &["eco-hai", "ecohai"]),
    ("1017", "EMS", &["ems"]),
    ("1018", "DHL", &["dhl"]),
    ("1019", "FedEx", &["fedex"]),
    ("1020", "UPS", &["ups"]),
    ("1021", "日通通運", &["nippon express", "nittsu", "日本通運"]),
    ("1022", "TNT", &["tnt"]),
    ("1023", "OCS", &["ocs"]),
    ("1024", "USPS", &["usps"]),
    ("1025", "SFエクスプレス", &["sf express", "順豊エクスプレス"]),
    ("1026", "Aramex", &["aramex"]),
    ("1027", "SGHグローバル・ジャパン", &["sgh global", "sgh global japan"]),
    ("1028", "JPロジスティクス", &["jp logistics"]),
    ("1029", "MagicalMove", &["magicalmove", "magical move"]),
    ("5000", "ASKUL LOGIST", &["askul logist", "askul"]),
    ("5001", "店舗受取", &["store pick-up"]),
];

/// Codes of orders before October 2018, which are only read.
const OLD: &[(&str, &str)] = &[("999", OTHER), ("103", YAMATO), ("104", "1002"), ("100", JAPAN_POST)];

/// The code of a carrier by its usual name, the channel's name, or the code itself; [`OTHER`] for one that the channel
/// does not know.
pub(super) fn code(carrier: &str) -> &'static str {
    let wanted = carrier.trim().to_lowercase();
    let found = CARRIERS.iter().find(|(code, name, others)| {
        *code == wanted || name.to_lowercase() == wanted || others.contains(&wanted.as_str())
    });
    found.map_or(OTHER, |(code, ..)| *code)
}

/// The channel's name of a code.
pub(super) fn name(code: &str) -> Option<&'static str> {
    let code = code.trim();
    let code = OLD.iter().find(|(old, _)| *old == code).map_or(code, |(_, new)| *new);
    CARRIERS.iter().find(|(known, ..)| *known == code).map(|(_, name, _)| *name)
}
