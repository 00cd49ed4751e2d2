# ruff: noqa: E501 - tables
"""Web frameworks, clients, templates, validation and command lines."""

from __future__ import annotations

from pytest_maestro_healer.evidence.migrations.rows import Table

TABLES = (
    Table(
        "https://docs.pydantic.dev/latest/migration/",
        "Pydantic 2",
        {
            "pydantic.BaseModel pydantic.main.BaseModel": "dict>model_dump json>model_dump_json parse_obj>model_validate parse_raw>model_validate_json "
            "copy>model_copy construct>model_construct schema>model_json_schema validate>model_validate update_forward_refs>model_rebuild "
            "__fields__>model_fields __fields_set__>model_fields_set",
            "pydantic": "BaseSettings>pydantic_settings.BaseSettings",
        },
        {"pydantic.BaseModel": "from_orm>model_validate", "pydantic": "validator>field_validator root_validator>model_validator"},
        parameters={
            "pydantic.Field pydantic.fields.Field": "regex>pattern min_items>min_length max_items>max_length",
            "pydantic.constr pydantic.types.constr": "regex>pattern",
            "pydantic.conlist pydantic.types.conlist": "min_items>min_length max_items>max_length",
        },
    ),
    Table(
        "https://flask.palletsprojects.com/en/stable/changes/",
        "Flask 2",
        {
            "flask": "escape>markupsafe.escape Markup>markupsafe.Markup safe_join>werkzeug.utils.safe_join",
            "flask.helpers": "safe_join>werkzeug.utils.safe_join",
            "flask.testing": "make_test_environ_builder>EnvironBuilder",
        },
        parameters={
            "flask.send_file flask.helpers.send_file flask.send_from_directory": "attachment_filename>download_name cache_timeout>max_age add_etags>etag filename>path",
        },
    ),
    Table(
        "https://werkzeug.palletsprojects.com/en/stable/changes/",
        "Werkzeug 2.3",
        {
            "werkzeug.utils": "escape>markupsafe.escape",
            "werkzeug.wrappers": "BaseRequest>Request BaseResponse>Response",
            "werkzeug.security": "safe_str_cmp>hmac.compare_digest",
            "werkzeug.http": "parse_authorization_header>werkzeug.datastructures.Authorization.from_header "
            "parse_www_authenticate_header>werkzeug.datastructures.WWWAuthenticate.from_header",
        },
        {
            "werkzeug.urls": "url_quote>urllib.parse.quote url_quote_plus>urllib.parse.quote_plus url_unquote>urllib.parse.unquote "
            "url_unquote_plus>urllib.parse.unquote_plus url_encode>urllib.parse.urlencode url_join>urllib.parse.urljoin url_parse>urllib.parse.urlsplit "
            "url_unparse>urllib.parse.urlunsplit",
        },
    ),
    Table(
        "https://click.palletsprojects.com/en/stable/changes/",
        "Click 8",
        {
            "click": "MultiCommand>Group BaseCommand>Command get_terminal_size>shutil.get_terminal_size",
            "click.core": "MultiCommand>Group BaseCommand>Command",
            "click.Group click.core.Group click.core.MultiCommand": "resultcallback>result_callback",
            "click.parser": "split_arg_string>click.shell_completion.split_arg_string OptionParser>_OptionParser",
        },
        parameters={
            "click.testing.CliRunner": "mix_stderr>",
            "click.option click.argument click.Option click.Argument": "autocompletion>shell_complete",
        },
    ),
    Table(
        "https://jinja.palletsprojects.com/en/stable/changes/",
        "Jinja 3.1",
        {
            "jinja2": "contextfunction>pass_context contextfilter>pass_context evalcontextfunction>pass_eval_context evalcontextfilter>pass_eval_context "
            "environmentfunction>pass_environment environmentfilter>pass_environment Markup>markupsafe.Markup escape>markupsafe.escape",
            "jinja2.utils": "contextfunction>pass_context environmentfunction>pass_environment soft_unicode>markupsafe.soft_str Markup>markupsafe.Markup "
            "escape>markupsafe.escape",
            "jinja2.filters": "contextfilter>jinja2.pass_context environmentfilter>jinja2.pass_environment",
            "markupsafe": "soft_unicode>soft_str",
        },
    ),
    Table(
        "https://marshmallow.readthedocs.io/en/stable/upgrading.html",
        "marshmallow 3.13",
        {"marshmallow.fields": "LocalDateTime>NaiveDateTime"},
        parameters={
            " ".join(
                f"marshmallow.fields.{f}"
                for f in [
                    "Field",
                    "String",
                    "Str",
                    "Integer",
                    "Int",
                    "Float",
                    "Number",
                    "Decimal",
                    "Boolean",
                    "Bool",
                    "DateTime",
                    "Date",
                    "Time",
                    "List",
                    "Dict",
                    "Nested",
                    "Email",
                    "Url",
                    "URL",
                    "UUID",
                    "Raw",
                    "Tuple",
                    "Enum",
                    "Mapping",
                ]
            ): "missing>load_default default>dump_default load_from>data_key dump_to>data_key",
            "marshmallow.Schema marshmallow.schema.Schema": "strict>",
        },
    ),
    Table(
        "https://github.com/encode/httpx/blob/master/CHANGELOG.md",
        "HTTPX",
        {
            "httpx": "TimeoutConfig>Timeout StatusCode>codes PoolLimits>Limits ASGIDispatch>ASGITransport WSGIDispatch>WSGITransport "
            "NotRedirectResponse>HTTPError ConnectionClosed>RemoteProtocolError",
        },
        parameters={
            "httpx.Timeout": "connect_timeout>connect read_timeout>read write_timeout>write pool_timeout>pool",
            "httpx.Client httpx.AsyncClient": "dispatch>transport pool_limits>limits proxies>proxy",
            "httpx.Limits": "soft_limit>max_keepalive_connections hard_limit>max_connections max_keepalive>max_keepalive_connections",
            "httpx.get httpx.post httpx.Client.get httpx.Client.post httpx.Client.request": "allow_redirects>follow_redirects",
        },
    ),
    Table(
        "https://docs.djangoproject.com/en/stable/releases/",
        "Django",
        {
            "django.test.testcases.SimpleTestCase django.test.SimpleTestCase django.test.TestCase django.test.testcases.TransactionTestCase": "assertFormsetError>assertFormSetError assertQuerysetEqual>assertQuerySetEqual",
            "django.utils.encoding": "force_text>force_str smart_text>smart_str",
            "django.utils.translation": "ugettext>gettext ugettext_lazy>gettext_lazy ugettext_noop>gettext_noop ungettext>ngettext ungettext_lazy>ngettext_lazy",
            "django.utils.http": "urlquote>urllib.parse.quote urlquote_plus>urllib.parse.quote_plus urlunquote>urllib.parse.unquote "
            "urlunquote_plus>urllib.parse.unquote_plus is_safe_url>url_has_allowed_host_and_scheme",
            "django.conf.urls": "url>django.urls.re_path",
            "django.utils.timezone": "utc>datetime.timezone.utc",
            "django.core.urlresolvers": "reverse>django.urls.reverse resolve>django.urls.resolve",
            "django.contrib.postgres.fields": "JSONField>django.db.models.JSONField",
            "django.http.response.HttpResponse django.http.HttpResponse": "_headers>headers",
        },
    ),
    Table(
        "https://requests.readthedocs.io/en/latest/community/updates/",
        "requests",
        {"requests.packages.urllib3.exceptions": "InsecureRequestWarning>urllib3.exceptions.InsecureRequestWarning"},
    ),
    Table(
        "https://urllib3.readthedocs.io/en/stable/v2-migration-guide.html",
        "urllib3 2",
        {"urllib3.response.HTTPResponse urllib3.HTTPResponse": "getheaders>headers"},
        parameters={"urllib3.util.retry.Retry urllib3.Retry urllib3.util.Retry": "method_whitelist>allowed_methods"},
    ),
    Table(
        "https://docs.aiohttp.org/en/stable/changes.html",
        "aiohttp 3",
        {"aiohttp.ClientResponse": "url_obj>url", "aiohttp": "Timeout>ClientTimeout"},
        parameters={"aiohttp.ClientSession": "loop>", "aiohttp.TCPConnector": "verify_ssl>ssl conn_timeout>", "aiohttp.web.Application": "loop>"},
    ),
)
