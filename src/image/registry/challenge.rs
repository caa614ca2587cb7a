//! What a registry asks for with `WWW-Authenticate` (RFC 9110, 11.6.1).

use ureq::http::HeaderMap;
use ureq::http::header::WWW_AUTHENTICATE;

/// A way to authenticate that tank knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token of another server:
    /// <https://distribution.github.io/distribution/spec/auth/token/>.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// The best way to authenticate that the headers of an answer offer.
pub(super) fn best(headers: &HeaderMap) -> Option<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    let challenges: Vec<_> =
        values.filter_map(|value| value.to_str().ok()).flat_map(parse).collect();
    let is_bearer = |challenge: &&Challenge| matches!(challenge, Challenge::Bearer { .. });
    challenges.iter().find(is_bearer).or(challenges.first()).cloned()
}

/// A scheme and its parameters, names in lower case.
struct Raw<'a> {
    scheme: &'a str,
    parameters: Vec<(String, String)>,
}

impl Raw<'_> {
    fn parameter(&self, name: &str) -> Option<String> {
        let (_, value) = self.parameters.iter().find(|(key, _)| key == name)?;
        Some(value.clone()).filter(|value| !value.is_empty())
    }

    fn known(&self) -> Option<Challenge> {
        if self.scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        let realm = self.parameter("realm").filter(|_| self.scheme.eq_ignore_ascii_case("bearer"));
        let (service, scope) = (self.parameter("service"), self.parameter("scope"));
        Some(Challenge::Bearer { realm: realm?, service, scope })
    }
}

/// The challenges of one header that tank knows; what follows a syntax error is ignored.
fn parse(header: &str) -> Vec<Challenge> {
    let mut found: Vec<Raw<'_>> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = token(rest);
        if word.is_empty() {
            break;
        }
        let value = after.trim_start_matches([' ', '\t']).strip_prefix('=');
        rest = match (value, found.last_mut()) {
            // A word before `=` is a parameter of the scheme before it.
            (Some(value), Some(challenge)) => {
                let (value, after) = parameter_value(value.trim_start_matches([' ', '\t']));
                challenge.parameters.push((word.to_ascii_lowercase(), value));
                after
            }
            (Some(_), None) => break,
            (None, _) => {
                found.push(Raw { scheme: word, parameters: Vec::new() });
                after
            }
        };
    }
    found.iter().filter_map(Raw::known).collect()
}

/// Splits off a token (RFC 9110, 5.6.2).
fn token(text: &str) -> (&str, &str) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.split_at(text.find(|c| !is_token(c)).unwrap_or(text.len()))
}

/// Splits off a token or a quoted string, without its quotes.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        // Some servers leave addresses unquoted.
        let (value, rest) = text.split_at(text.find([',', ' ', '\t']).unwrap_or(text.len()));
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }
    }

    #[test]
    fn challenges_are_read() {
        let realm = "https://auth.example/token";
        for (header, challenges) in [
            (
                r#"Bearer realm="https://auth.example/token",service="r.example",scope="repository:a/b:pull,push""#,
                vec![bearer(realm, Some("r.example"), Some("repository:a/b:pull,push"))],
            ),
            ("Basic realm=\"a, b=\\\"c\\\"\"", vec![Challenge::Basic]),
            (
                r#"basic realm="x", BEARER Realm = https://auth.example/token , error="x""#,
                vec![Challenge::Basic, bearer(realm, None, None)],
            ),
            (r#"Negotiate, Digest realm="x", Basic"#, vec![Challenge::Basic]),
            ("Negotiate YWJj==, Basic", vec![Challenge::Basic]),
            ("Bearer", vec![]),
            (r#"Bearer realm="""#, vec![]),
            (r#"realm="x""#, vec![]),
            ("Bearer realm=\"unterminated", vec![bearer("unterminated", None, None)]),
            ("", vec![]),
            ("\u{7f}\u{7f}", vec![]),
        ] {
            assert_eq!(parse(header), challenges, "{header}");
        }
    }

    #[test]
    fn tokens_are_preferred_to_passwords() {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, "Basic realm=x".parse().unwrap());
        assert_eq!(best(&headers), Some(Challenge::Basic));
        headers.append(WWW_AUTHENTICATE, "Bearer realm=https://a/t".parse().unwrap());
        assert_eq!(best(&headers), Some(bearer("https://a/t", None, None)));
    }
}
