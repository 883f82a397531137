mod stories;
mod story;
