//! What all lessons share: their arguments, and the folder of their pictures.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};
use tenonet::plot::Picture;

/// The arguments of every lesson.
#[derive(Args)]
pub(crate) struct Lesson {
    /// Do everything with less data and fewer steps: to see whether it runs.
    #[arg(long)]
    pub(crate) small: bool,
    /// Where the pictures go.
    #[arg(long, value_name = "DIR", default_value = "target/lessons")]
    pub(crate) pictures: PathBuf,
    /// A folder with a larger data set, for the lessons that can learn from one: each says which.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// The arguments of every lesson, and those of one.
#[derive(Parser)]
struct Arguments<Own: Args> {
    #[command(flatten)]
    lesson: Lesson,
    #[command(flatten)]
    own: Own,
}

impl Lesson {
    /// Runs a lesson; an error is told and is the program's failure.
    #[allow(dead_code, reason = "a lesson has arguments of its own, or it has none")]
    pub(crate) fn run(lesson: impl FnOnce(&Lesson) -> anyhow::Result<()>) -> ExitCode {
        Lesson::run_with(|this, ()| lesson(this))
    }

    /// Runs a lesson that has arguments of its own.
    pub(crate) fn run_with<Own: Args>(lesson: impl FnOnce(&Lesson, Own) -> anyhow::Result<()>) -> ExitCode {
        let Arguments { lesson: this, own } = Arguments::parse();
        let result = std::fs::create_dir_all(&this.pictures)
            .map_err(|error| anyhow::anyhow!("{}: {error}", this.pictures.display()));
        match result.and_then(|()| lesson(&this, own)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        }
    }

    /// Writes a picture as `NAME.svg` and `NAME.png`.
    pub(crate) fn save(&self, name: &str, picture: &impl Picture) -> anyhow::Result<()> {
        for extension in ["svg", "png"] {
            let file = self.pictures.join(name).with_extension(extension);
            picture.save(&file)?;
            println!("wrote {}", file.display());
        }
        Ok(())
    }

    /// One number for the whole lesson, another for a small one.
    #[allow(dead_code, reason = "not every lesson has something to make smaller")]
    pub(crate) fn size(&self, whole: usize, small: usize) -> usize {
        if self.small { small } else { whole }
    }
}
