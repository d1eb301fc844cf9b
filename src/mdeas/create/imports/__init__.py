"""Data sets of pictures that exist already: tables, folders, webdataset tars."""
