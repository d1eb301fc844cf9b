"""Data sets of other tools as data sets of mdeas: tables, folders of pictures, webdataset tars."""
