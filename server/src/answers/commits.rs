//! Commits, and texts that git keeps, as documents.

use std::path::Path;

use lens::{CommitText, DocumentId, FileDiff, Rendered};
use workspace::{CommittedFile, Repo, Shown};

use super::Answers;

/// Files of a commit that are shown.
const MOST_FILES: usize = 300;
/// A text of more bytes is not compared.
const MOST_BYTES: usize = 1 << 20;

impl Answers<'_> {
    /// The document of the commit that a log or a person names by the beginning of its id. `folder` is where it was
    /// named. `None`: no repository that is open here has it.
    pub(crate) fn commit_document(&self, hash: &str, folder: Option<&str>) -> Option<DocumentId> {
        let here = folder.map(Path::new).filter(|folder| folder.is_dir());
        let here = here.and_then(|folder| self.workspace.repo(folder));
        let commit = here.into_iter().chain(self.repos()).find_map(|repo| repo.commit(hash))?;
        Some(DocumentId::Commit { id: commit.id.to_string().into() })
    }

    pub(crate) fn commit_page(&self, id: &str) -> Option<Rendered> {
        let (repo, shown) = self.repos().into_iter().find_map(|repo| Some((repo.clone(), repo.show(id)?)))?;
        let files: Vec<FileDiff> = shown.files.iter().take(MOST_FILES).map(|file| diff(&repo, file)).collect();
        let Shown { commit, message, files: all } = &shown;
        let (id, left_out) = (commit.id.to_string(), all.len() - files.len());
        let text = CommitText { id: &id, author: &commit.author, at: commit.at, message, left_out };
        Some(lens::commit(&self.frame.view(), &text, &files))
    }

    /// A text by the id under which git keeps it.
    pub(crate) fn blob_text(&self, id: &str) -> Option<String> {
        let text = self.repos().iter().find_map(|repo| repo.blob_named(id))?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// The file before and after a commit, as documents. `None`: there is no such text.
    pub(crate) fn committed_sides(&self, hash: &str, path: &Path) -> (Option<DocumentId>, Option<DocumentId>) {
        let sides = || {
            let repo = self.workspace.repo(path)?;
            let rel = repo.relative(path)?;
            repo.show(hash)?.files.into_iter().find(|file| file.rel == rel)
        };
        let Some(CommittedFile { before, after, .. }) = sides() else { return (None, None) };
        let blob = |id: workspace::BlobId| DocumentId::Blob { id: id.to_string().into() };
        (before.map(blob), after.map(blob))
    }

    /// The repositories that are open here, the one that is shown first.
    fn repos(&self) -> Vec<Repo> {
        let first = self.frame.root.as_deref().and_then(|root| self.workspace.repo(Path::new(root)));
        first.into_iter().chain(self.workspace.repos()).collect()
    }
}

fn diff(repo: &Repo, file: &CommittedFile) -> FileDiff {
    let text = |id: Option<workspace::BlobId>| id.and_then(|id| repo.blob(id)).unwrap_or_default();
    let (before, after) = (text(file.before), text(file.after));
    let is_text = |text: &[u8]| text.len() <= MOST_BYTES && !text.contains(&0);
    let hunks = match is_text(&before) && is_text(&after) {
        true => lens::between(&String::from_utf8_lossy(&before), &String::from_utf8_lossy(&after)),
        false => Vec::new(),
    };
    let (created, deleted) = (file.before.is_none(), file.after.is_none());
    FileDiff { path: file.rel.as_str().into(), created, deleted, hunks, steps: Vec::new() }
}
