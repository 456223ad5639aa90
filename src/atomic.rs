//! Atomic writing: a file is whole or not there.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Has `content` write a temporary file in the folder of `path`, flushes it to the disk, and gives it the name.
///
/// Whatever fails, a former file of that name is untouched and no temporary file stays.
pub(crate) fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tenonet-");
    // Temporary files are for their owner alone; this one becomes an ordinary file, within the user's umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    // A mebibyte: few calls of the system for large networks.
    let mut out = BufWriter::with_capacity(1 << 20, file.as_file_mut());
    content(&mut out)?;
    out.flush()?;
    drop(out);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The name is on the disk when the folder is. Only Unix can open one.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
