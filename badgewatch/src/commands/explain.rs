//! `explain`: one product at one instant, *as known* then and *as corrected* by what is known now (R26), and
//! what may come.

use anyhow::anyhow;
use domain::decision::{Decision, Scope};
use domain::id::ManufacturerId;
use domain::time::Timestamp;
use pipeline::engine::{Explanation, Question};
use wire::explanation::{CorrectedView, ExplanationView, ForecastView};
use wire::view::{DecisionView, ProductView};

use super::{broker, policy, print};
use crate::cli::{Explain, Format};
use crate::failure::Failure;
use inputs::Known;

mod critical;
mod differences;
mod inputs;
mod issued;
mod views;
mod words;

pub(super) fn run(options: &Explain) -> Result<(), Failure> {
    let policies = policy(&options.policy)?;
    let known = match broker(&options.broker)? {
        Some(broker) => inputs::of_kafka(&broker, policies)?,
        None => inputs::of_files(options, policies)?,
    };
    let view = explain(options, &known)?;
    let mut out = Vec::new();
    match options.format {
        Format::Json => wire::explanation::write(&view, &mut out),
        Format::Table => out.extend(words::explanation(&view).into_bytes()),
    }
    print(&out)
}

fn explain(options: &Explain, known: &Known) -> Result<ExplanationView, Failure> {
    let asin = &options.asin;
    let nothing = || Failure::Usage(anyhow!("no event counts, so there is no end of what is known: give --at INSTANT"));
    let at = options.at.or(known.until).ok_or_else(nothing)?;
    let until = known.until.map_or(at, |until| until.max(at));
    if let Some(assumed) = options.what_if.filter(|assumed| assumed.to <= at) {
        let message = "ends before the explained instant: assume downtime after it, or give an earlier --at";
        return Err(Failure::Usage(anyhow!("--what-if: {}..{} {message} ({at})", assumed.from, assumed.to)));
    }
    let engine = known.evaluation.engine();
    let question = Question { asin, at, until, what_if: options.what_if };
    let explanation = engine.explain(&question).ok_or_else(|| unknown(options, known))?;
    let manufacturers: Vec<&ManufacturerId> =
        engine.registry().products.get(asin).into_iter().flat_map(domain::Product::manufacturers).collect();
    let issued = known.issued.as_ref().map(|all| issued::about(all, asin, &manufacturers));
    Ok(view(options, known, (at, until), &explanation, issued.as_deref()))
}

fn view(
    options: &Explain,
    known: &Known,
    (at, until): (Timestamp, Timestamp),
    explanation: &Explanation,
    issued: Option<&[Decision]>,
) -> ExplanationView {
    let (implied, policies) = (&explanation.implied, known.evaluation.engine().policies());
    let acknowledgements = &known.evaluation.engine().registry().acknowledgements;
    ExplanationView {
        asin: options.asin.to_string(),
        at: at.to_string(),
        known_until: until.to_string(),
        rejected_lines: known.evaluation.rejected().len() as u64,
        as_known: issued.map(|all| issued::by(all, at).map(DecisionView::from).collect()),
        as_corrected: CorrectedView {
            standings: explanation.scopes.iter().map(|scope| ProductView::from(&scope.standing)).collect(),
            decisions: implied.iter().map(DecisionView::from).collect(),
        },
        differences: issued.map(|all| differences::between(all, implied, policies, (at, until))).unwrap_or_default(),
        forecast: explanation.scopes.iter().map(|scope| forecast(scope.standing.scope, &scope.ahead)).collect(),
        critical_outages: critical::outages(issued, implied, policies, acknowledgements, at),
    }
}

fn forecast(scope: Scope, ahead: &pipeline::engine::Ahead) -> ForecastView {
    ForecastView { scope: scope.to_string(), badge: views::badge(ahead) }
}

fn unknown(options: &Explain, known: &Known) -> Failure {
    let rejected = known.evaluation.rejected().len();
    let hint = if rejected == 0 {
        String::new()
    } else {
        format!("; {rejected} lines of registry and events were rejected, perhaps its badge: `badgewatch evaluate` lists them")
    };
    let asin = &options.asin;
    Failure::Usage(anyhow!("{asin} is not registered: no badge line names it; check the ASIN and the registry{hint}"))
}
