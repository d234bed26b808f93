"Sphinx settings; `build_docs.py` runs Sphinx with them over the notebooks that nbdev has processed"
project, author = "portfolio_research", "The portfolio_research authors"
extensions = ["myst_nb", "sphinx_copybutton", "sphinx-mathjax-offline"]
exclude_patterns = ["_build"]
suppress_warnings = ["mystnb.unknown_mime_type"]

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "attrs_block", "attrs_inline", "html_image"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # the outputs that the notebooks hold are shown
nb_merge_streams = True

html_theme = "sphinx_book_theme"
html_title = "portfolio_research"
html_static_path, html_css_files = ["_static"], ["styles.css"]
html_show_sourcelink, html_copy_source = False, False
html_theme_options = dict(use_download_button=False, use_fullscreen_button=False, show_toc_level=2,
                          show_navbar_depth=1,
    navbar_start=[], navbar_center=[], navbar_end=[], navbar_persistent=[])
