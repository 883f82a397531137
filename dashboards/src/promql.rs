//! As much of `PromQL` as it takes to say which metrics an expression uses, and how.
//!
//! Grafana's variables (`$instance`, `${scope}`, `$__rate_interval`) may stand wherever it allows them.

/// One use of a metric in an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Use<'a> {
    /// The series' name, e.g. `x_seconds_bucket`.
    pub name: &'a str,
    /// Labels that its selector matches on.
    pub matched: Vec<&'a str>,
    /// Functions and aggregations around it, outermost first.
    pub within: Vec<&'a str>,
    /// Whether it is selected over a range (`x[5m]`).
    pub ranged: bool,
}

/// What an expression uses.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Uses<'a> {
    /// Its metrics, in order.
    pub metrics: Vec<Use<'a>>,
    /// Labels that it aggregates or matches series by.
    pub grouped: Vec<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token<'a> {
    Word(&'a str),
    Sign(char),
    /// A string, number, duration or variable: nothing that names a metric.
    Value,
}

/// Words that are followed by labels in parentheses.
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Words that are operators, modifiers or numbers.
const OPERATORS: [&str; 8] = ["and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"];
/// Aggregations may stand before their grouping, so no parenthesis tells them from a metric.
const AGGREGATIONS: [&str; 12] =
    ["sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values", "bottomk", "topk", "quantile"];

/// The metrics and labels that an expression uses.
#[must_use]
pub fn uses(expression: &str) -> Uses<'_> {
    let tokens = tokens(expression);
    let mut found = Uses::default();
    // The function of every open parenthesis, and the one that waits for its parenthesis.
    let mut open: Vec<Option<&str>> = Vec::new();
    let mut pending: Option<&str> = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match *token {
            Token::Sign('(') => open.push(pending.take()),
            Token::Sign(')') => drop(open.pop()),
            Token::Sign('[') => {
                if let Some(last) = found.metrics.last_mut() {
                    last.ranged = true;
                }
                at = after(&tokens, at, ']');
            }
            Token::Sign('{') => {
                let end = after(&tokens, at, '}');
                let matched = labels_matched(&tokens[at..end]);
                if let Some(last) = found.metrics.last_mut() {
                    last.matched = matched;
                }
                at = end;
            }
            Token::Word(word) if BEFORE_LABELS.contains(&word) => {
                if tokens.get(at) == Some(&Token::Sign('(')) {
                    let end = after(&tokens, at + 1, ')');
                    found.grouped.extend(tokens[at..end].iter().filter_map(|token| token.word()));
                    at = end;
                }
            }
            Token::Word(word) if OPERATORS.contains(&word.to_ascii_lowercase().as_str()) => {}
            Token::Word(word) if AGGREGATIONS.contains(&word) || tokens.get(at) == Some(&Token::Sign('(')) => {
                pending = Some(word);
            }
            Token::Word(name) => {
                let within = open.iter().copied().flatten().collect();
                found.metrics.push(Use { name, matched: Vec::new(), within, ranged: false });
            }
            Token::Sign(_) | Token::Value => {}
        }
    }
    found
}

impl<'a> Token<'a> {
    const fn word(self) -> Option<&'a str> {
        match self {
            Token::Word(word) => Some(word),
            Token::Sign(_) | Token::Value => None,
        }
    }
}

/// The index after the next closing sign.
fn after(tokens: &[Token<'_>], from: usize, sign: char) -> usize {
    tokens[from..].iter().position(|token| *token == Token::Sign(sign)).map_or(tokens.len(), |length| from + length + 1)
}

/// In `{a="x", b=~"y"}` the words before `=` or `!`.
fn labels_matched<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let pairs = tokens.windows(2).filter(|pair| matches!(pair[1], Token::Sign('=' | '!')));
    pairs.filter_map(|pair| pair[0].word()).collect()
}

fn tokens(expression: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '"' | '\'' | '`' => (Token::Value, string_length(rest, first)),
            '$' => (Token::Value, variable_length(rest)),
            '0'..='9' => (Token::Value, run_length(rest, |c| c.is_ascii_alphanumeric() || c == '.')),
            _ if is_name(first) => {
                let length = run_length(rest, |c| is_name(c) || c.is_ascii_digit());
                (Token::Word(&rest[..length]), length)
            }
            _ => (Token::Sign(first), first.len_utf8()),
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    tokens
}

const fn is_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == ':'
}

fn run_length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            '\\' if quote != '`' && !escaped => escaped = true,
            _ if c == quote && !escaped => return index + c.len_utf8(),
            _ => escaped = false,
        }
    }
    text.len()
}

fn variable_length(text: &str) -> usize {
    match text.strip_prefix("${") {
        Some(inner) => inner.find('}').map_or(text.len(), |end| end + 3),
        None => 1 + run_length(&text[1..], |c| is_name(c) || c.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Metrics as `outer>inner>name{labels}[]`, then `by` and the labels grouped by.
    fn check(expression: &str, expected: &str) {
        let found = uses(expression);
        let mut parts: Vec<String> = found
            .metrics
            .iter()
            .map(|metric| {
                let path: String = metric.within.iter().map(|function| format!("{function}>")).collect();
                let labels = if metric.matched.is_empty() { String::new() } else { format!("{{{}}}", metric.matched.join(",")) };
                format!("{path}{}{labels}{}", metric.name, if metric.ranged { "[]" } else { "" })
            })
            .collect();
        if !found.grouped.is_empty() {
            parts.push(format!("by {}", found.grouped.join(",")));
        }
        assert_eq!(parts.join(" "), expected, "{expression}");
    }

    #[test]
    fn metrics_are_told_from_everything_else() {
        check("up", "up");
        check("time() - min(a_seconds)", "min>a_seconds");
        check("rate(a_total[5m])", "rate>a_total[]");
        check(r#"sum by (x, y) (rate(a_total{x="b", y!~"c|d"}[$__rate_interval]))"#, "sum>rate>a_total{x,y}[] by x,y");
        check("sum(rate(a_total[5m])) by (x)", "sum>rate>a_total[] by x");
        check(
            "histogram_quantile(0.99, sum by (le) (rate(a_seconds_bucket[1m])))",
            "histogram_quantile>sum>rate>a_seconds_bucket[] by le",
        );
        check("a / on (x) group_left (y) b", "a b by x,y");
        check("a offset 5m and b unless bool c", "a b c");
        check("max_over_time(a[1h:5m]) > 1e3 or 0x1F", "max_over_time>a[]");
        check(r#"label_replace(a{v="it's (not) a {metric}"}, "to", "$1", 'from', `x"y`)"#, "label_replace>a{v}");
        check("topk($n, ${metric:raw}) + Inf - NaN", "");
        check("(a) * (b + max(c))", "a b max>c");
        check("topk by (x) (3, a)", "topk>a by x");
        check("job:a:rate5m", "job:a:rate5m");
    }
}
