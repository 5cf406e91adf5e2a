use jarre_core::{Image, base64};

/// Whether `url` is an address, or holds a picture by the look of its head.
pub(crate) fn is_image_url(url: &str) -> bool {
    starts_with(url, "http://") || starts_with(url, "https://") || split_data_url(url).is_some()
}

/// The picture at `url`, decoded where the URL holds it; `None` where it is malformed.
pub(super) fn from_url(url: &str) -> Option<Image> {
    match split_data_url(url) {
        Some((mime, data)) => Some(Image::Bytes { mime: mime.to_owned(), data: base64::decode(data.as_bytes())? }),
        None => is_image_url(url).then(|| Image::Url { url: url.to_owned() }),
    }
}

pub(super) fn to_url(image: &Image) -> String {
    match image {
        Image::Url { url } => url.clone(),
        Image::Bytes { mime, data } => format!("data:{mime};base64,{}", base64::encode(data)),
    }
}

/// Media type and base64 text of a data URL (RFC 2397); parameters of the type are dropped.
fn split_data_url(url: &str) -> Option<(&str, &str)> {
    let rest = url.get(5..).filter(|_| starts_with(url, "data:"))?;
    let (head, data) = rest.split_once(',')?;
    let mut parts = head.split(';');
    let mime = parts.next()?;
    let image = starts_with(mime, "image/") && mime.len() > "image/".len();
    (image && parts.next_back()?.eq_ignore_ascii_case("base64")).then_some((mime, data))
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_back() {
        let picture = Image::Bytes { mime: "image/png".into(), data: vec![0, 255, 16] };
        assert_eq!(to_url(&picture), "data:image/png;base64,AP8Q");
        assert_eq!(from_url(&to_url(&picture)), Some(picture.clone()));
        assert_eq!(from_url("DATA:image/png;name=a;BASE64,AP8Q"), Some(picture));
        assert_eq!(from_url("HTTPS://x/y,z"), Some(Image::Url { url: "HTTPS://x/y,z".into() }));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let wrong = [
            "",
            "dat",
            "data:",
            "data:image/png,AP8Q",
            "data:text/html;base64,AP8Q",
            "data:image/;base64,AP8Q",
            "file:///etc/passwd",
            "é://",
        ];
        for url in wrong {
            assert!(!is_image_url(url), "{url}");
            assert_eq!(from_url(url), None, "{url}");
        }
        assert_eq!(from_url("data:image/png;base64,AP8"), None, "not padded");
    }
}
