use super::{checksum::crc32_base62, entropy::shannon, placeholder::is_placeholder};
use crate::scan::{Judge, Rule, Seen};

/// What issuers say or show of the form of their keys. A key that names its issuer is sure; one that is any random text needs words before it.
const FORMATS: &[(&str, &str, Judge)] = &[
    ("aws_access_key", "(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}", random),
    ("aws_secret_key", "[0-9A-Za-z/+]{40}", aws_secret),
    ("github_token", "gh[pousr]_[0-9A-Za-z]{36}", checked),
    ("github_token", "github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}", random),
    ("gitlab_token", "(?:glpat|gldt|glrt|glptt|glsoat)-[0-9A-Za-z_-]{20,50}", random),
    ("slack_token", "xox[abeoprs]-[0-9A-Za-z-]{10,250}", random),
    ("slack_token", "xapp-[0-9]-[0-9A-Z]{8,16}-[0-9]{8,16}-[0-9a-f]{64}", random),
    ("slack_webhook", "https://hooks\\.slack\\.com/services/T[0-9A-Z]{6,14}/B[0-9A-Z]{6,14}/[0-9A-Za-z]{20,30}", random),
    ("stripe_key", "(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,120}", random),
    ("stripe_key", "whsec_[0-9A-Za-z+/]{32,64}", random),
    ("google_api_key", "AIza[0-9A-Za-z_-]{35}", random),
    ("google_oauth", "GOCSPX-[0-9A-Za-z_-]{28}", random),
    ("google_oauth", "ya29\\.[0-9A-Za-z_-]{30,250}", random),
    ("anthropic_key", "sk-ant-[a-z]{3,8}[0-9]{2}-[0-9A-Za-z_-]{80,120}", random),
    ("openai_key", "sk-(?:proj-|svcacct-|admin-|None-)?[0-9A-Za-z_-]{16,120}T3BlbkFJ[0-9A-Za-z_-]{16,120}", random),
    ("openai_key", "sk-[0-9A-Za-z]{48}", random),
    ("openrouter_key", "sk-or-v1-[0-9a-f]{64}", random),
    ("npm_token", "npm_[0-9A-Za-z]{36}", checked),
    ("pypi_token", "pypi-AgEIcHlwaS5vcmc[0-9A-Za-z_-]{50,250}", random),
    ("hugging_face_token", "hf_[A-Za-z]{34}", random),
    ("sendgrid_key", "SG\\.[0-9A-Za-z_-]{22}\\.[0-9A-Za-z_-]{43}", random),
    ("twilio_key", "SK[0-9a-f]{32}", random),
    ("azure_storage_key", "AccountKey=[0-9A-Za-z+/]{86}==", random),
    ("azure_client_secret", "[0-9A-Za-z_~.]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,34}", random),
    ("digitalocean_token", "do[opr]_v1_[0-9a-f]{64}", random),
    ("shopify_token", "shp(?:at|ca|pa|ss)_[0-9a-f]{32}", random),
    ("mailgun_key", "key-[0-9a-f]{32}", random),
    ("telegram_token", "[0-9]{8,10}:AA[0-9A-Za-z_-]{33}", random),
    ("discord_webhook", "https://discord(?:app)?\\.com/api/webhooks/[0-9]{17,20}/[0-9A-Za-z_-]{60,70}", random),
    ("docker_token", "dckr_pat_[0-9A-Za-z_-]{27}", random),
    ("databricks_token", "dapi[0-9a-f]{32}", random),
    ("grafana_token", "glsa_[0-9A-Za-z]{32}_[0-9a-f]{8}", random),
    ("vault_token", "hv[bs]\\.[0-9A-Za-z_-]{24,200}", random),
    ("linear_key", "lin_api_[0-9A-Za-z]{40}", random),
    ("age_secret_key", "AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}", random),
];

pub(super) fn rules() -> Vec<Rule> {
    FORMATS.iter().map(|&(label, regex, judge)| Rule::capturing(label, format!(r"(?-u:\b)({regex})(?:[^0-9A-Za-z]|$)"), judge)).collect()
}

/// No placeholder, and random: 3 bits per character, which random hexadecimal of 32 has.
fn random(seen: &Seen<'_>) -> Option<f32> {
    (!is_placeholder(seen.text) && shannon(seen.text) >= 3.0).then_some(0.95)
}

/// Sure where the checksum behind the prefix fits. Where it does not, this is an example, or the issuer has changed its ways.
fn checked(seen: &Seen<'_>) -> Option<f32> {
    let (_, body) = seen.text.split_once('_')?;
    random(seen).map(|_| if crc32_base62(body) { 1.0 } else { 0.6 })
}

/// Forty random characters are a key where `aws` and `secret` stand before.
fn aws_secret(seen: &Seen<'_>) -> Option<f32> {
    let before = seen.before.to_lowercase();
    let classes = [char::is_ascii_digit, char::is_ascii_lowercase, char::is_ascii_uppercase]
        .iter()
        .all(|class| seen.text.chars().any(|char| class(&char)));
    let named = before.contains("secret") || before.contains("aws");
    (named && classes && !is_placeholder(seen.text) && shannon(seen.text) > 4.25).then_some(0.9)
}
