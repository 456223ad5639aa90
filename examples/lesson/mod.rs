//! What all lessons share: their arguments, and the folder of their pictures.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tenonet::plot::Picture;

/// The arguments of every lesson.
#[derive(Parser)]
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

impl Lesson {
    /// Runs a lesson; an error is told and is the program's failure.
    pub(crate) fn run(lesson: impl FnOnce(&Lesson) -> anyhow::Result<()>) -> ExitCode {
        let this = Lesson::parse();
        let result = std::fs::create_dir_all(&this.pictures)
            .map_err(|error| anyhow::anyhow!("{}: {error}", this.pictures.display()));
        match result.and_then(|()| lesson(&this)) {
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
