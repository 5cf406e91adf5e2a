//! Items of Parquet files.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path, sync::Arc};

use jarre_eval::experiment::{Dataset, DatasetSpec};
use parquet::{
    basic::Compression,
    data_type::{ByteArray, ByteArrayType, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};

fn write(path: &Path, compression: Compression) {
    let schema = Arc::new(parse_message_type("message items { REQUIRED BINARY question (UTF8); REQUIRED INT64 answer; }").unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(fs::File::create(path).unwrap(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&[ByteArray::from("1 + 1?"), ByteArray::from("2 + 2?")], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[2, 4], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn rows_are_items_however_they_are_packed() {
    let folder = tempfile::tempdir().unwrap();
    let spec = DatasetSpec { path: "items.parquet".into(), target: Some("answer".into()), ..DatasetSpec::default() };
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
        write(&folder.path().join("items.parquet"), compression);
        let items = Dataset::load(&spec, folder.path()).unwrap().items;
        let read: Vec<_> = items.iter().map(|item| (item.fields["question"].as_str().unwrap(), item.target.as_deref().unwrap())).collect();
        assert_eq!(read, [("1 + 1?", "2"), ("2 + 2?", "4")]);
    }
}

#[test]
fn a_file_that_is_cut_off_or_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.parquet");
    write(&path, Compression::SNAPPY);
    let whole = fs::read(&path).unwrap();
    let spec = DatasetSpec { path: "items.parquet".into(), ..DatasetSpec::default() };
    for length in [0, 4, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = Dataset::load(&spec, folder.path()).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("cannot be read as Parquet"), "{source}");
    }
}
