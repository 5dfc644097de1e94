"""Django's admin with a site of our own. Apart from the site, since this is read before there are models."""

from django.contrib.admin.apps import AdminConfig


class FoyerAdminConfig(AdminConfig):
    default_site = "foyer.admin.site.FoyerSite"
