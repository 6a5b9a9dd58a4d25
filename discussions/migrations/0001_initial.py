import discussions.models.numbers
import discussions.models.space
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.utils.timezone
import taggit.managers
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('core', '0001_initial'),  # the text search configuration "kmnet"
        ('taggit', '0006_rename_taggeditem_content_type_object_id_taggit_tagg_content_8fc721_idx'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Space',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=40, unique=True, validators=[discussions.models.space.check_space_slug], verbose_name='address')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('purpose', models.CharField(blank=True, max_length=200, verbose_name='what it is for')),
                ('icon', models.CharField(default='talk', help_text='A name from icons.svg.', max_length=30, verbose_name='icon')),
                ('readable_by', models.CharField(choices=[('public', 'everybody, without an account'), ('members', 'members')], default='members', max_length=8, verbose_name='who may read')),
                ('may_start', models.CharField(choices=[('members', 'members'), ('hosts', 'hosts and moderators')], default='members', max_length=8, verbose_name='who may start a thread')),
                ('first_kind', models.CharField(choices=[('discussion', 'discussion'), ('question', 'question'), ('introduction', 'introduction')], default='discussion', max_length=12, verbose_name='usual kind of thread')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position')),
                ('thread_count', models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={
                'verbose_name': 'space',
                'verbose_name_plural': 'spaces',
                'ordering': ['position', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Post',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('visible', 'visible'), ('held', 'held until a moderator has looked'), ('hidden', 'hidden')], default='visible', max_length=8, verbose_name='state')),
                ('hidden_at', models.DateTimeField(blank=True, null=True, verbose_name='hidden')),
                ('hidden_reason', models.TextField(blank=True, verbose_name='reason for hiding')),
                ('number', models.PositiveIntegerField(blank=True, null=True, verbose_name='number')),
                ('path', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), blank=True, editable=False, null=True, size=None)),
                ('source', models.TextField(verbose_name='text')),
                ('html', models.TextField(editable=False)),
                ('render_version', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('language', models.CharField(blank=True, max_length=12, verbose_name='language')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='written')),
                ('published_at', models.DateTimeField(blank=True, null=True, verbose_name='published')),
                ('edited_at', models.DateTimeField(blank=True, null=True, verbose_name='edited')),
                ('submit_key', models.UUIDField(blank=True, editable=False, null=True)),
                ('heading', models.CharField(blank=True, editable=False, max_length=600)),
                ('search', models.GeneratedField(db_persist=True, expression=django.contrib.postgres.search.CombinedSearchVector(django.contrib.postgres.search.SearchVector('heading', config='kmnet', weight='A'), '||', django.contrib.postgres.search.SearchVector('source', config='kmnet', weight='B'), django.contrib.postgres.search.SearchConfig('kmnet')), output_field=django.contrib.postgres.search.SearchVectorField())),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='posts', to=settings.AUTH_USER_MODEL, verbose_name='author')),
                ('hidden_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replies', to='discussions.post', verbose_name='reply to')),
            ],
            options={
                'verbose_name': 'post',
                'verbose_name_plural': 'posts',
            },
        ),
        migrations.CreateModel(
            name='Thread',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('visible', 'visible'), ('held', 'held until a moderator has looked'), ('hidden', 'hidden')], default='visible', max_length=8, verbose_name='state')),
                ('hidden_at', models.DateTimeField(blank=True, null=True, verbose_name='hidden')),
                ('hidden_reason', models.TextField(blank=True, verbose_name='reason for hiding')),
                ('kind', models.CharField(choices=[('discussion', 'discussion'), ('question', 'question'), ('introduction', 'introduction'), ('announcement', 'announcement')], default='discussion', max_length=12, verbose_name='kind')),
                ('title', models.CharField(max_length=160, verbose_name='title')),
                ('slug', models.SlugField(max_length=80)),
                ('excerpt', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='started')),
                ('last_number', models.PositiveIntegerField(default=0, editable=False)),
                ('gone_numbers', discussions.models.numbers.NumbersField(default=list, editable=False)),
                ('reply_count', models.PositiveIntegerField(default=0, editable=False)),
                ('last_post_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='latest post')),
                ('people', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, editable=False, size=None)),
                ('first_reply_at', models.DateTimeField(blank=True, null=True, verbose_name='first reply by somebody else')),
                ('accepted_at', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed')),
                ('closed_reason', models.CharField(blank=True, max_length=300, verbose_name='why closed')),
                ('accepted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('accepted_post', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='discussions.post', verbose_name='answer')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='threads', to=settings.AUTH_USER_MODEL, verbose_name='author')),
                ('hidden_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('last_post', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='discussions.post')),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='threads', to='discussions.space', verbose_name='space')),
                ('tags', taggit.managers.TaggableManager(blank=True, help_text='A comma-separated list of tags.', through='taggit.TaggedItem', to='taggit.Tag', verbose_name='Tags')),
            ],
            options={
                'verbose_name': 'thread',
                'verbose_name_plural': 'threads',
            },
        ),
        migrations.CreateModel(
            name='ReadState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('numbers', discussions.models.numbers.NumbersField(default=list)),
                ('seen_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last here')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='read_states', to=settings.AUTH_USER_MODEL)),
                ('thread', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='read_states', to='discussions.thread')),
            ],
            options={
                'verbose_name': 'read marker',
                'verbose_name_plural': 'read markers',
            },
        ),
        migrations.AddField(
            model_name='post',
            name='thread',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='posts', to='discussions.thread', verbose_name='thread'),
        ),
        migrations.CreateModel(
            name='ThreadWatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(choices=[('watching', 'tell me about every reply'), ('normal', 'tell me when somebody replies to me'), ('muted', 'do not tell me about this one')], default='normal', max_length=8, verbose_name='level')),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='thread_watches', to=settings.AUTH_USER_MODEL)),
                ('thread', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watches', to='discussions.thread')),
            ],
            options={
                'verbose_name': 'watched thread',
                'verbose_name_plural': 'watched threads',
            },
        ),
        migrations.CreateModel(
            name='PostVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.TextField(verbose_name='text')),
                ('title', models.CharField(blank=True, max_length=160, verbose_name='title')),
                ('replaced_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='until')),
                ('edited_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='edited by')),
                ('post', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='discussions.post')),
            ],
            options={
                'verbose_name': 'earlier version',
                'verbose_name_plural': 'earlier versions',
                'indexes': [models.Index(fields=['post', '-replaced_at'], name='versions_of_post')],
            },
        ),
        migrations.AddIndex(
            model_name='thread',
            index=models.Index(models.OrderBy(models.F('last_post_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='threads_latest'),
        ),
        migrations.AddIndex(
            model_name='thread',
            index=models.Index(models.F('space'), models.OrderBy(models.F('last_post_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='threads_latest_in_space'),
        ),
        migrations.AddIndex(
            model_name='thread',
            index=models.Index(models.F('author'), models.OrderBy(models.F('last_post_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='threads_of_author'),
        ),
        migrations.AddIndex(
            model_name='thread',
            index=models.Index(models.OrderBy(models.F('last_post_at'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('accepted_post__isnull', True), ('closed_at__isnull', True), ('first_reply_at__isnull', True), ('kind', 'question')), name='threads_unanswered'),
        ),
        migrations.AddConstraint(
            model_name='thread',
            constraint=models.CheckConstraint(condition=models.Q(('accepted_post__isnull', True), ('kind', 'question'), _connector='OR'), name='only_questions_have_answers'),
        ),
        migrations.AddConstraint(
            model_name='readstate',
            constraint=models.UniqueConstraint(fields=('member', 'thread'), name='one_read_marker_per_thread'),
        ),
        migrations.AddIndex(
            model_name='post',
            index=models.Index(fields=['thread', 'path'], name='posts_in_branches'),
        ),
        migrations.AddIndex(
            model_name='post',
            index=models.Index(fields=['author', '-published_at'], name='posts_of_author'),
        ),
        migrations.AddIndex(
            model_name='post',
            index=models.Index(fields=['thread', 'published_at'], name='posts_in_time'),
        ),
        migrations.AddIndex(
            model_name='post',
            index=models.Index(condition=models.Q(('number__isnull', True)), fields=['thread'], name='posts_held'),
        ),
        migrations.AddIndex(
            model_name='post',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search'], name='posts_search'),
        ),
        migrations.AddConstraint(
            model_name='post',
            constraint=models.UniqueConstraint(fields=('thread', 'number'), name='one_post_per_number'),
        ),
        migrations.AddConstraint(
            model_name='post',
            constraint=models.UniqueConstraint(fields=('author', 'submit_key'), name='one_post_per_submit'),
        ),
        migrations.AddConstraint(
            model_name='post',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('number__isnull', False), ('path__isnull', False), ('published_at__isnull', False)), models.Q(('number__isnull', True), ('path__isnull', True), ('published_at__isnull', True), models.Q(('state', 'visible'), _negated=True)), _connector='OR'), name='shown_posts_have_numbers'),
        ),
        migrations.AddConstraint(
            model_name='post',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('number', 1), _negated=True), ('parent__isnull', True), _connector='OR'), name='first_post_answers_none'),
        ),
        migrations.AddIndex(
            model_name='threadwatch',
            index=models.Index(fields=['thread', 'level'], name='watches_of_thread'),
        ),
        migrations.AddConstraint(
            model_name='threadwatch',
            constraint=models.UniqueConstraint(fields=('member', 'thread'), name='one_watch_per_thread'),
        ),
    ]
