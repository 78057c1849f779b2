//! Carriers by their usual names, and Coupang's codes for them (sheet 4.8).

/// Code, and names without spaces, hyphens and points, in lower case.
const CARRIERS: &[(&str, &[&str])] = &[
    (
        "HYUNDAI",
        &["lotte", "lotteglobal", "lottegloballogistics", "롯데택배", "롯데글로벌로지스", "현대택배"],
    ),
    ("KGB", &["logen", "logenlogistics", "로젠택배", "로젠"]),
    ("EPOST", &["koreapost", "우체국택배", "우체국"]),
    ("HANJIN", &["hanjinexpress", "한진택배", "한진"]),
    ("CJGLS", &["cj", "cjlogistics", "cjkoreaexpress", "cj대한통운", "대한통운", "씨제이대한통운"]),
    ("KDEXP", &["kyungdong", "kyoungdong", "kyungdongexpress", "경동택배", "경동"]),
    ("DIRECT", &["owndelivery", "업체직송", "직접배송"]),
    ("ILYANG", &["ilyanglogis", "일양로지스", "일양택배"]),
    ("CHUNIL", &["천일택배", "천일특송"]),
    ("AJOU", &["아주택배"]),
    ("CSLOGIS", &["scs로지스", "cs로지스"]),
    ("DAESIN", &["daeshin", "대신택배"]),
    ("CVS", &["cvsnet", "편의점택배", "gspostbox"]),
    ("HDEXP", &["hapdong", "합동택배"]),
    ("DHL", &["dhlexpress"]),
    ("UPS", &[]),
    ("KOREX", &[]),
];

/// Coupang's code for a carrier, and whether it is on its current list. A name that is no known name but could be a
/// code goes as it is: the list changes. `None`: it can't be a code.
pub(super) fn code(carrier: &str) -> Option<(String, bool)> {
    let carrier = carrier.trim();
    let plain: String = carrier
        .chars()
        .filter(|c| !c.is_whitespace() && !"-_.()".contains(*c))
        .flat_map(char::to_lowercase)
        .collect();
    if plain.is_empty() {
        return None;
    }
    let known = CARRIERS
        .iter()
        .find(|(code, names)| code.eq_ignore_ascii_case(carrier) || names.contains(&plain.as_str()));
    if let Some((code, _)) = known {
        return Some(((*code).to_owned(), true));
    }
    let like_code =
        carrier.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) && carrier.len() <= 20;
    like_code.then(|| (carrier.to_owned(), false))
}

/// A tracking number as Coupang takes it: without the hyphens and spaces that people add. `None`: it holds something
/// else than digits and letters, or nothing.
pub(super) fn waybill(number: &str) -> Option<String> {
    let plain: String = number.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let sound = !plain.is_empty() && plain.len() <= 50 && plain.bytes().all(|c| c.is_ascii_alphanumeric());
    sound.then_some(plain)
}
