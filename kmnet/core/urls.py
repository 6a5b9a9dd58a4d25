from django.urls import include, path

from . import views_returned, views_sitemap

urlpatterns = [
    path("dev/mail/", include("kmnet.core.urls_mailbox")),
    path("mail/", include("kmnet.core.urls_mail")),
    path("settings/mail/works-again/", views_returned.ask, name="ask_works_again"),
    path("about/", include("kmnet.core.urls_about")),
    path("robots.txt", views_sitemap.robots, name="robots"),
    path("sitemap.xml", views_sitemap.sitemap_index, name="sitemap"),
    path("sitemap-<slug:key>-<int:number>.xml", views_sitemap.sitemap_part, name="sitemap_part"),
]
