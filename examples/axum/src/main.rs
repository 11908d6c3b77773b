use std::{env, time::SystemTime};

use axum::{extract::Path, response::Html, routing::get, Json, Router};
use serde_json::{json, Value};
use tokio::{net::TcpListener, signal::unix};

#[tokio::main]
async fn main() {
    let app = Router::new()
        .route("/", get(|| async { Html("<h1>Hello from axum</h1>") }))
        .route("/hello/{name}", get(hello))
        .route("/api/time", get(time));

    let host = env::var("HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port = env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = TcpListener::bind(format!("{host}:{port}")).await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    axum::serve(listener, app).with_graceful_shutdown(terminated()).await.unwrap();
}

async fn hello(Path(name): Path<String>) -> String {
    format!("Hello, {name}!")
}

async fn time() -> Json<Value> {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    Json(json!({ "time": seconds }))
}

async fn terminated() {
    unix::signal(unix::SignalKind::terminate()).unwrap().recv().await;
}
