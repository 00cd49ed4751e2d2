# ruff: noqa: E501 - tables
"""Numbers, tables, graphs and databases."""

from __future__ import annotations

from pytest_maestro_healer.evidence.migrations.rows import Table

_NUMPY2 = "https://numpy.org/doc/stable/numpy_2_0_migration_guide.html"
_PANDAS = "https://pandas.pydata.org/docs/whatsnew/v2.0.0.html"
_SKLEARN = "https://scikit-learn.org/stable/whats_new.html"

TABLES = (
    Table(
        "https://numpy.org/doc/stable/release/1.24.0-notes.html",
        "NumPy 1.24",
        {
            "numpy": "float>builtins.float int>builtins.int bool>builtins.bool object>builtins.object str>builtins.str complex>builtins.complex "
            "long>builtins.int unicode>builtins.str",
        },
    ),
    Table(
        _NUMPY2,
        "NumPy 2",
        {
            "numpy": "float_>float64 complex_>complex128 cfloat>complex128 singlecomplex>complex64 longfloat>longdouble clongfloat>clongdouble "
            "longcomplex>clongdouble string_>bytes_ unicode_>str_ Inf>inf Infinity>inf infty>inf PINF>inf NaN>nan NAN>nan product>prod "
            "cumproduct>cumprod sometrue>any alltrue>all round_>round row_stack>vstack trapz>trapezoid in1d>isin mat>asmatrix bool8>bool_ "
            "int0>intp uint0>uintp object0>object_ str0>str_ bytes0>bytes_ ComplexWarning>numpy.exceptions.ComplexWarning "
            "VisibleDeprecationWarning>numpy.exceptions.VisibleDeprecationWarning AxisError>numpy.exceptions.AxisError "
            "RankWarning>numpy.exceptions.RankWarning ModuleDeprecationWarning>numpy.exceptions.ModuleDeprecationWarning "
            "TooHardError>numpy.exceptions.TooHardError DTypePromotionError>numpy.exceptions.DTypePromotionError "
            "byte_bounds>numpy.lib.array_utils.byte_bounds DataSource>numpy.lib.npyio.DataSource safe_eval>ast.literal_eval add_newdoc>numpy.lib.add_newdoc",
        },
        {"numpy": "find_common_type>result_type asfarray>asarray"},
    ),
    Table(
        _PANDAS,
        "pandas 2",
        {
            "pandas.DataFrame pandas.core.frame.DataFrame pandas.Series pandas.core.series.Series": "iteritems>items pad>ffill backfill>bfill "
            "tshift>shift slice_shift>shift",
            "pandas.Index pandas.core.indexes.base.Index pandas.Series": "is_monotonic>is_monotonic_increasing",
            "pandas.DataFrame pandas.core.frame.DataFrame": "applymap>map as_matrix>to_numpy",
            "pandas.ExcelWriter": "save>close",
            "pandas.io.formats.style.Styler": "render>to_html applymap>map applymap_index>map_index",
            "pandas": "datetime>datetime.datetime np>numpy TimeGrouper>Grouper",
            "pandas.io.json": "json_normalize>pandas.json_normalize",
        },
        parameters={
            "pandas.read_csv pandas.io.parsers.readers.read_csv": "error_bad_lines>on_bad_lines",
            "pandas.date_range": "closed>inclusive",
            "pandas.DataFrame.to_csv pandas.Series.to_csv": "line_terminator>lineterminator",
            "pandas.DataFrame.groupby": "squeeze>",
        },
    ),
    Table(
        "https://docs.scipy.org/doc/scipy/release.html",
        "SciPy 1.14",
        {
            "scipy.integrate": "simps>simpson trapz>trapezoid cumtrapz>cumulative_trapezoid",
            "scipy.signal": " ".join(
                f"{w}>scipy.signal.windows.{w}"
                for w in ["hann", "hamming", "blackman", "bartlett", "kaiser", "gaussian", "boxcar", "triang", "parzen", "tukey"]
            ),
            "scipy.misc": "comb>scipy.special.comb factorial>scipy.special.factorial logsumexp>scipy.special.logsumexp derivative>scipy.differentiate.derivative",
            "scipy.stats": "median_absolute_deviation>median_abs_deviation binom_test>binomtest",
            "scipy.special": "sph_harm>sph_harm_y",
        },
    ),
    Table(
        _SKLEARN,
        "scikit-learn 1.2",
        {
            "sklearn.feature_extraction.text.CountVectorizer sklearn.feature_extraction.text.TfidfVectorizer sklearn.preprocessing.OneHotEncoder "
            "sklearn.feature_extraction.DictVectorizer sklearn.preprocessing.PolynomialFeatures": "get_feature_names>get_feature_names_out",
            "sklearn.metrics": "calinski_harabaz_score>calinski_harabasz_score jaccard_similarity_score>jaccard_score",
            "sklearn.utils": "safe_indexing>_safe_indexing",
        },
        parameters={
            "sklearn.preprocessing.OneHotEncoder": "sparse>sparse_output",
            "sklearn.ensemble.BaggingClassifier sklearn.ensemble.AdaBoostClassifier sklearn.ensemble.BaggingRegressor sklearn.ensemble.AdaBoostRegressor": "base_estimator>estimator",
            "sklearn.cluster.AgglomerativeClustering": "affinity>metric",
        },
    ),
    Table(
        "https://networkx.org/documentation/stable/release/index.html",
        "NetworkX 3",
        {
            "networkx.Graph networkx.DiGraph networkx.MultiGraph networkx.MultiDiGraph": "node>nodes nodes_iter>nodes edges_iter>edges degree_iter>degree "
            "neighbors_iter>neighbors successors_iter>successors predecessors_iter>predecessors adjacency_iter>adjacency",
            "networkx": "from_numpy_matrix>from_numpy_array to_scipy_sparse_matrix>to_scipy_sparse_array from_scipy_sparse_matrix>from_scipy_sparse_array "
            "OrderedGraph>Graph OrderedDiGraph>DiGraph OrderedMultiGraph>MultiGraph OrderedMultiDiGraph>MultiDiGraph",
        },
        {"networkx": "to_numpy_matrix>to_numpy_array"},
        parameters={"networkx.node_link_data networkx.node_link_graph": "attrs> link>edges"},
    ),
    Table(
        "https://docs.sqlalchemy.org/en/20/changelog/migration_20.html",
        "SQLAlchemy 2",
        {
            "sqlalchemy.ext.declarative": "declarative_base>sqlalchemy.orm.declarative_base",
            "sqlalchemy.engine": "RowProxy>Row ResultProxy>CursorResult LegacyRow>Row",
            "sqlalchemy.engine.result": "RowProxy>sqlalchemy.engine.Row ResultProxy>sqlalchemy.engine.CursorResult",
            "sqlalchemy.orm.Query sqlalchemy.orm.query.Query": "values>with_entities",
        },
        parameters={"sqlalchemy.create_engine": "encoding> convert_unicode> case_sensitive>"},
    ),
    Table(
        "https://pymongo.readthedocs.io/en/stable/migrate-to-pymongo4.html",
        "PyMongo 4",
        similar={
            "pymongo.collection.Collection": "insert>insert_one remove>delete_many update>update_one count>count_documents find_and_modify>find_one_and_update "
            "ensure_index>create_index",
            "pymongo.database.Database": "collection_names>list_collection_names",
            "pymongo.mongo_client.MongoClient": "database_names>list_database_names",
        },
    ),
    Table(
        "https://pillow.readthedocs.io/en/stable/deprecations.html",
        "Pillow 10",
        {
            "PIL.Image": "ANTIALIAS>PIL.Image.Resampling.LANCZOS LINEAR>PIL.Image.Resampling.BILINEAR CUBIC>PIL.Image.Resampling.BICUBIC",
            "PIL.Image.Image": "tostring>tobytes fromstring>frombytes",
        },
        {
            "PIL.ImageFont.FreeTypeFont PIL.ImageFont.ImageFont": "getsize>getbbox getsize_multiline>getbbox",
            "PIL.ImageDraw.ImageDraw": "textsize>textbbox",
        },
    ),
    Table(
        "https://matplotlib.org/stable/api/prev_api_changes/index.html",
        "Matplotlib 3",
        {
            "matplotlib.cm": "get_cmap>matplotlib.pyplot.get_cmap",
            "matplotlib.axes.Axes": "set_axis_bgcolor>set_facecolor get_axis_bgcolor>get_facecolor",
        },
        parameters={
            "matplotlib.pyplot.hist matplotlib.axes.Axes.hist": "normed>density",
            "matplotlib.pyplot.grid": "b>visible",
            "matplotlib.pyplot.savefig": "papertype>",
        },
    ),
)
