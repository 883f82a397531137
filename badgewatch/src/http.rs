//! `/metrics`, `/healthz` and `/readyz`, from a thread of their own.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use telemetry::Metrics;

/// Serves until the process ends.
///
/// # Errors
/// When the address can't be listened on.
pub(crate) fn serve(address: SocketAddr, metrics: Arc<Metrics>) -> anyhow::Result<JoinHandle<()>> {
    let listener = TcpListener::bind(address)
        .with_context(|| format!("cannot listen on {address}: choose another with --http ADDR:PORT"))?;
    listener.set_nonblocking(true).context("cannot set up the listener")?;
    tracing::info!(address = %listener.local_addr().unwrap_or(address), "serving /metrics, /healthz, /readyz");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the HTTP server")?;
    let thread = std::thread::Builder::new().name("http".to_owned());
    thread
        .spawn(move || {
            runtime.block_on(async {
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => {
                        if let Err(error) = axum::serve(listener, router(metrics)).await {
                            tracing::error!(%error, "the HTTP server ended");
                        }
                    }
                    Err(error) => tracing::error!(%error, "the HTTP server did not start"),
                }
            });
        })
        .context("cannot start the HTTP server's thread")
}

fn router(metrics: Arc<Metrics>) -> Router {
    Router::new()
        .route("/metrics", get(show_metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(show_readiness))
        .with_state(metrics)
}

async fn show_metrics(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// Ready once everything that was in the source at the start has been processed.
async fn show_readiness(State(metrics): State<Arc<Metrics>>) -> Response {
    if metrics.is_ready() {
        (StatusCode::OK, "ready\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "working off the backlog of the start\n").into_response()
    }
}
