use axum::body::Body;
use axum::http::{Method, Request, header};
use jarre_serving::server::ServeError;

use crate::harness::{Reply, Rig, config, options, raw, server};

async fn with_key(rig: &Rig, path: &str, key: &str) -> Reply {
    rig.send(Request::get(path).header(header::AUTHORIZATION, key).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn only_keys_open() {
    let rig = Rig::over(server(&options(), config().with_api_keys(["one-key", "another"])));
    let missing = rig.get("/v1/models").await;
    assert_eq!(missing.refused(401)["code"], "invalid_api_key");
    assert_eq!(missing.headers[header::WWW_AUTHENTICATE], "Bearer");
    for wrong in ["Bearer one-ke", "Bearer", "Basic one-key", "Bearer one-key2", "one-key"] {
        with_key(&rig, "/v1/models", wrong).await.refused(401);
    }
    for right in ["Bearer one-key", "bearer another"] {
        with_key(&rig, "/v1/models", right).await.ok();
    }
    for open in ["/health", "/ready"] {
        rig.get(open).await.ok();
    }
    for closed in ["/metrics", "/nothing", "/openapi.json"] {
        rig.get(closed).await.refused(401);
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_let_in_by_name_only() {
    let asks = |origin: &str| {
        let mut request = raw(Method::OPTIONS, "/v1/models", Body::empty());
        request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        request.headers_mut().insert(header::ACCESS_CONTROL_REQUEST_METHOD, "GET".parse().unwrap());
        request
    };
    let off = Rig::new();
    assert!(!off.send(asks("https://a.example")).await.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    let keyed = Rig::over(server(&options(), config().with_cors_origin("https://a.example").with_api_keys(["k"])));
    let allowed = keyed.send(asks("https://a.example")).await;
    assert_eq!((allowed.status, allowed.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN].to_str().unwrap()), (200, "https://a.example"));
    assert!(!keyed.send(asks("https://b.example")).await.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn a_server_without_keys_does_not_listen_to_the_world() {
    let everywhere = ([0, 0, 0, 0], 0).into();
    let open = server(&options(), config().with_address(everywhere));
    assert!(matches!(open.bind().await, Err(ServeError::Exposed(_))));
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    assert!(matches!(open.serve(listener, async {}).await, Err(ServeError::Exposed(_))));
    assert!(server(&options(), config().with_address(everywhere).with_api_keys(["k"])).bind().await.is_ok());
    assert!(server(&options(), config().with_address(everywhere).with_open_access(true)).bind().await.is_ok());
}
