//! A cluster with others in it: other stores, other programs, users with passwords.

use std::{io, time::Duration};

use etcd_client::{Client, Permission, RoleRevokePermissionOptions};
use jarre_kv_store::{Error, Etcd, EtcdOptions, KeyRange, LeaseId, Op, Session, Store, Txn, WatchRequest};

use crate::cluster::Cluster;

#[test]
fn a_store_sees_its_own_keys_and_nothing_else() {
    let cluster = Cluster::start(1);
    let (one, other) = (cluster.store("one/"), cluster.store("one"));
    pollster::block_on(async {
        let mut watch = one.watch(WatchRequest::new(KeyRange::all())).await.unwrap();
        other.put(b"?", b"in the other").await.unwrap();
        let mut session = Session::open(&one).await.unwrap();
        session.txn(Txn::new().then(Op::put("a", "1")), 1).await.unwrap();
        assert_eq!(one.status().await.unwrap().keys, 1);
        let keys: Vec<_> = one.range(KeyRange::all().into()).await.unwrap().entries.into_iter().map(|entry| entry.key).collect();
        assert_eq!(keys, [b"a"]);
        assert_eq!(other.get(b"/a").await.unwrap().unwrap().value, b"1", "whose prefix is shorter sees those of the longer");
        let batch = watch.next().await.unwrap().unwrap();
        assert_eq!((batch.events.len(), batch.events[0].key()), (1, &b"a"[..]));
        assert_eq!(one.delete_range(KeyRange::all()).await.unwrap(), 1);
        assert!(other.get(b"?").await.unwrap().is_some(), "what is not its own it does not delete");
        session.txn(Txn::new().then(Op::put("a", "2")), 1).await.expect("nor sessions");
    });
}

#[test]
fn a_lease_is_named_where_it_is_missing() {
    let cluster = Cluster::start(1);
    let store = cluster.store("p/");
    pollster::block_on(async {
        let lease = store.lease_grant(Duration::from_millis(1500)).await.unwrap();
        assert_eq!(store.lease(lease).await.unwrap().ttl, Duration::from_secs(2), "rounded up");
        for missing in [0, 7, u64::MAX] {
            let txn = Txn::new().then(Op::put_with_lease("a", "1", lease)).then(Op::put_with_lease("b", "2", LeaseId(missing)));
            let refused = store.txn(txn).await;
            let named = matches!(&refused, Err(Error::Refused(jarre_kv_store::Refusal::NoLease { id })) if *id == LeaseId(missing));
            assert!(named, "{missing}: {refused:?}");
        }
        assert_eq!(store.get(b"a").await.unwrap(), None);
    });
}

fn is_denied<T: std::fmt::Debug>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied)
}

#[tokio::test]
async fn users_have_passwords_and_rights() {
    let cluster = Cluster::start(1);
    drop(Etcd::connect(cluster.options("p/").with_timeout(Duration::from_secs(20))).await.unwrap());
    let mut root = Client::connect(cluster.endpoints(), None).await.unwrap();
    root.role_add("root").await.unwrap();
    root.user_add("root", "root", None).await.unwrap();
    root.user_grant_role("root", "root").await.unwrap();
    root.role_add("writer").await.unwrap();
    root.role_grant_permission("writer", Permission::read_write("p/").with_prefix()).await.unwrap();
    root.role_grant_permission("writer", Permission::read_write("\0jarre-kv/session/p/").with_prefix()).await.unwrap();
    root.user_add("writer", "secret", None).await.unwrap();
    root.user_grant_role("writer", "writer").await.unwrap();
    root.auth_enable().await.unwrap();

    let connect = |prefix: &str, password: &str| Etcd::connect(options(&cluster, prefix).with_user("writer", password));
    let nameless = Etcd::connect(options(&cluster, "p/")).await;
    assert!(is_denied(&nameless), "{nameless:?}");
    let wrong = connect("p/", "wrong").await;
    assert!(is_denied(&wrong), "{wrong:?}");
    let elsewhere = connect("q/", "secret").await;
    assert!(is_denied(&elsewhere), "{elsewhere:?}");

    let store = connect("p/", "secret").await.unwrap();
    assert!(!format!("{store:?}").contains("secret"));
    let mut watch = store.watch(WatchRequest::new(KeyRange::all())).await.unwrap();
    let mut session = Session::open(&store).await.unwrap();
    session.txn(Txn::new().then(Op::put("a", "1")), 1).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().events.len(), 1);
    watch.request_progress();
    assert!(watch.next().await.unwrap().unwrap().events.is_empty());

    let mut root = Client::connect(cluster.endpoints(), Some(etcd_client::ConnectOptions::new().with_user("root", "root"))).await.unwrap();
    let prefix = Some(RoleRevokePermissionOptions::new().with_prefix());
    root.role_revoke_permission("writer", "p/", prefix).await.unwrap();
    let denied = store.put(b"a", b"2").await;
    assert!(is_denied(&denied), "{denied:?}");
}

fn options(cluster: &Cluster, prefix: &str) -> EtcdOptions {
    cluster.options(prefix).with_timeout(Duration::from_secs(3))
}
