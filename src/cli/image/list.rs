//! `tank image list`: the images on disk.

use clap::Args;
use jiff::Timestamp;

use crate::app::report::{ImageListReport, ImageReport};
use crate::cli::failure::DONE;
use crate::cli::flags::Output;
use crate::cli::people;
use crate::cli::table::{Column, Table};
use crate::cli::ui::PLAIN;
use crate::cli::{Context, Outcome};
use crate::sys::clock;

/// List the images on disk
#[derive(Debug, Args)]
pub struct ImageListArgs {
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &ImageListArgs, context: &mut Context) -> Outcome {
    let report = match context.open_existing()? {
        Some(app) => app.image_list()?,
        None => ImageListReport::default(),
    };
    if args.output.is_json() {
        context.ui.out.json(&report)?;
    } else if report.images.is_empty() {
        context.ui.progress(PLAIN, "there are no images: `tank image pull NAME` fetches one");
    } else {
        context.ui.out.table(&table(&report, clock::now()))?;
    }
    Ok(DONE)
}

fn table(report: &ImageListReport, now: Timestamp) -> Table {
    let columns = [
        Column::flexible("NAME"),
        Column::whole("DIGEST"),
        Column::whole("PLATFORM"),
        Column::whole("SIZE"),
        Column::whole("CREATED"),
    ];
    let mut table = Table::new(columns);
    for image in &report.images {
        let unnamed = ["<none>".to_owned()];
        let names = if image.names.is_empty() { unnamed.as_slice() } else { &image.names };
        for name in names {
            table.row([
                name.as_str().into(),
                image.digest.short().into(),
                image.platform.as_deref().unwrap_or("-").into(),
                people::size(image.size).into(),
                created(image, now).into(),
            ]);
        }
    }
    table
}

fn created(image: &ImageReport, now: Timestamp) -> String {
    match image.created_at {
        Some(then) => format!("{} ago", people::age(then, now)),
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ui::testing;
    use crate::model::Digest;

    #[test]
    fn every_name_of_an_image_is_a_line() {
        let image = ImageReport {
            names: vec!["localhost/a:1".into(), "localhost/a:2".into()],
            digest: Digest::from_sha256([0xab; 32]),
            platform: Some("linux/amd64".into()),
            size: 8 << 20,
            created_at: None,
            loaded_at: None,
        };
        let (mut out, text) = testing::stream(Some(80));
        out.table(&table(&ImageListReport { images: vec![image] }, Timestamp::UNIX_EPOCH)).unwrap();
        out.flush().unwrap();
        insta::assert_snapshot!(text.text(), @r"
        NAME           DIGEST        PLATFORM     SIZE     CREATED
        localhost/a:1  abababababab  linux/amd64  8.0 MiB  -
        localhost/a:2  abababababab  linux/amd64  8.0 MiB  -
        ");
    }
}
